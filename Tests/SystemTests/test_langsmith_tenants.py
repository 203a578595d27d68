"""Tenants that go to one LangSmith."""

from keys import new_key
from otlp import a_body
from test_langsmith import a_tree, ids, langsmith, server, servers  # noqa: F401, the last two are fixtures
from weir import configuration
from wire import post


def test_tenants_that_share_a_workspace_share_no_run(start, server, tmp_path):
    """They have sent the same ids; each tree is whole, also where one of its spans comes after a restart."""
    keys, entries = zip(new_key("shop", "ingest"), new_key("bank", "ingest"))
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    text = configuration(http={"auth": {"authenticator": "api_keys"}}, exporters=langsmith(server))
    text += f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n"
    tree = a_tree(52, 4)
    for spans in (tree[:3], tree[3:]):
        weir = start(directory=tmp_path / "weir", text=text)
        for key in keys:
            assert post(weir.endpoint, a_body(*spans), headers=[("X-API-Key", key)]).status == 200
        weir.drain()
        weir.stop()
    runs = server.verify()
    assert len(runs) == 8 and not runs.keys() & ids(tree)
    roots = [run for run in runs.values() if not run.get("parent_run_id")]
    assert len(roots) == 2 and {run["trace_id"] for run in runs.values()} == {run["id"] for run in roots}
    for root in roots:
        own = [run for run in runs.values() if run["trace_id"] == root["id"]]
        assert sorted(run["name"] for run in own) == sorted(span.name for span in tree)
        assert all(run["dotted_order"].startswith(root["dotted_order"]) for run in own)
