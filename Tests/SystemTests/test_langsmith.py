"""The exporter `langsmith`, against the strict server."""

import base64
import json
import random
import shutil
import sqlite3

import pytest

import captures
import smith
from otlp import WHEN, a_body, a_span, attribute
from smith import Fault
from waiting import eventually
from weir import IMPATIENT, command, configuration
from wire import post


@pytest.fixture
def servers():
    """Makes strict servers."""
    made = []

    def make(**keys):
        made.append(smith.Smith(**keys))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def server(servers):
    return servers()


def langsmith(server, **further):
    keys = {"endpoint": server.url, "api_key": smith.KEY, "project": "shop", "trace_grace": "500ms", **IMPATIENT}
    return {"langsmith": {**keys, **further}}


def trace_id(number):
    return (0xABCD << 112 | number).to_bytes(16, "big")


def span(trace, own, parent=None, start=0, length=1000, **fields):
    """A span of a trace; ids are small numbers, start and length microseconds."""
    attributes = [attribute(key, value) for key, value in fields.pop("attributes", {}).items()]
    return a_span(
        trace_id=trace_id(trace),
        span_id=own.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        start_time_unix_nano=WHEN + start * 1000,
        end_time_unix_nano=WHEN + (start + length) * 1000,
        attributes=attributes,
        kind=fields.pop("kind", 1),
        **fields,
    )


def a_tree(trace, size=5):
    """A root, and below it spans each of which has one before it as its parent."""
    dice = random.Random(trace)
    spans = [span(trace, trace << 16 | 1, start=0, length=size * 100, name="root")]
    for number in range(2, size + 1):
        parent = trace << 16 | dice.randrange(1, number)
        spans.append(span(trace, trace << 16 | number, parent, start=number, name=f"step {number}"))
    return spans


def send(weir, *spans):
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0


def ids(spans):
    """The ids that the spans' runs have."""

    def uuid(data):
        text = data.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return {uuid(s.span_id.rjust(16, b"\0")) if s.parent_span_id else uuid(s.trace_id) for s in spans}


def story(weir, server):
    return lambda: json.dumps([(r.path, r.status, r.rule) for r in server.requests]) + "\n" + weir.log()


def arrives(weir, server, spans):
    """Waits until the server has a run for each span, and checks what it has."""
    eventually(lambda: ids(spans) <= server.all_runs().keys(), story(weir, server), 20)
    runs = server.verify()
    weir.drain()
    return runs


def spellings(tree):
    """A tree whose spans come in several ways."""
    dice = random.Random(7)
    mixed = tree[:]
    dice.shuffle(mixed)
    return {
        "at once": [tree],
        "children first": [tree[::-1]],
        "one by one, children first": [[one] for one in tree[::-1]],
        "mixed": [[one] for one in mixed],
    }


@pytest.mark.parametrize("way", spellings([]))
def test_a_trace_becomes_one_tree_however_its_spans_come(start, servers, way):
    server = servers(strict_order=True)
    # Nobody waits as long once the last has come.
    weir = start(exporters=langsmith(server, trace_grace="20s"))
    tree = a_tree(1, 12)
    for part in spellings(tree)[way]:
        send(weir, *part)
    runs = arrives(weir, server, tree)
    assert len(runs) == len(tree)
    assert [run["name"] for run in runs.values() if not run.get("parent_run_id")] == ["root"]
    assert all(run["end_time"] for run in runs.values())
    assert {operation[1] for operation in server.operations} == {"post"}
    for one in tree[1:]:
        run = runs["00000000-0000-0000-" + f"{one.span_id.hex()[:4]}-{one.span_id.hex()[4:]}"]
        assert run["parent_run_id"] in ids([s for s in tree if s.span_id == one.parent_span_id])


def test_a_parent_that_comes_late_takes_its_place(start, server):
    weir = start(exporters=langsmith(server))
    tree = a_tree(2, 4)
    send(weir, *tree[1:])
    eventually(lambda: len(server.all_runs()) == 4, story(weir, server))
    root = next(run for run in server.all_runs().values() if not run.get("parent_run_id"))
    assert root["name"] == "(root not seen yet)" and "end_time" not in root
    send(weir, tree[0])
    eventually(lambda: ("patch", root["id"]) in {key[1:] for key in server.operations}, story(weir, server))
    runs = arrives(weir, server, tree)
    assert len(runs) == 4
    assert runs[root["id"]]["name"] == "root" and runs[root["id"]]["end_time"]
    assert weir.metric("weir_langsmith_missing_roots", exporter="langsmith") == 1


def test_what_another_program_has_called_is_the_root_where_no_other_comes(start, server):
    weir = start(exporters=langsmith(server))
    entry = span(9, 2, 1, kind=2, name="server")
    below = span(9, 3, 2, start=5, name="below")
    send(weir, below)
    send(weir, entry)
    eventually(lambda: len(server.all_runs()) == 2, story(weir, server))
    runs = {run["name"]: run for run in server.verify().values()}
    assert not runs["server"].get("parent_run_id") and runs["server"]["extra"]["metadata"]["OTEL_PARENT_SPAN_ID"]
    assert runs["below"]["parent_run_id"] == runs["server"]["id"]
    assert "OTEL_PARENT_SPAN_ID" not in runs["below"]["extra"]["metadata"]


def test_a_trace_goes_on_after_a_restart(start, server, tmp_path, journal):
    keys = dict(exporters=langsmith(server), journal=journal, directory=tmp_path / "same")
    weir = start(**keys)
    tree, late = a_tree(3, 6), a_tree(4, 4)
    send(weir, *tree[:3])
    arrives(weir, server, tree[:3])
    send(weir, *late[1:])
    eventually(lambda: len(server.all_runs()) == 7, story(weir, server))
    weir.stop()
    weir = start(**keys)
    send(weir, *tree[3:], late[0])
    runs = arrives(weir, server, tree + late)
    eventually(lambda: len([k for k in server.operations if k[1] == "patch"]) == 1, story(weir, server))
    assert len(runs) == 10


def test_a_root_gets_in_where_its_stand_in_was_forgotten(start, server, tmp_path, journal):
    keys = dict(exporters=langsmith(server), journal=journal, directory=tmp_path / "same")
    weir = start(**keys)
    tree = a_tree(8, 3)
    send(weir, *tree[1:])
    eventually(lambda: len(server.all_runs()) == 3, story(weir, server))
    weir.stop()
    shutil.rmtree(tmp_path / "same" / "data" / "langsmith")
    weir = start(**keys)
    send(weir, tree[0])
    eventually(lambda: "root" in {run["name"] for run in server.all_runs().values()}, story(weir, server))
    weir.drain()
    assert len(server.all_runs()) == 3


def test_spans_that_wait_come_again_after_a_kill(start, server, tmp_path, journal):
    keys = dict(exporters=langsmith(server, trace_grace="60s"), journal=journal, directory=tmp_path / "same")
    weir = start(**keys)
    tree = a_tree(5, 6)
    send(weir, *tree[1:])
    eventually(lambda: weir.metric("weir_langsmith_held_spans", exporter="langsmith") == 5, weir.log)
    weir.kill()
    assert server.all_runs() == {}
    weir = start(**keys)
    send(weir, tree[0])
    assert len(arrives(weir, server, tree)) == 6


def test_several_roots_and_skewed_clocks_make_one_valid_tree(start, server):
    weir = start(exporters=langsmith(server))
    spans = [
        span(6, 1, start=1000, name="first"),
        span(6, 2, start=2000, name="second root"),
        span(6, 3, 1, start=-5000, name="before its parent"),
        span(6, 4, 99, start=1500, name="orphan"),
        span(6, 5, 5, start=1500, name="its own parent"),
        span(6, 6, 7, start=1500, name="circle"),
        span(6, 7, 6, start=1500, name="circle"),
    ]
    send(weir, *spans)
    eventually(lambda: len(server.all_runs()) == 7, story(weir, server))
    runs = {run["name"]: run for run in server.verify().values()}
    root = runs["first"]
    assert root["trace_id"] == root["id"]
    for name in ("second root", "before its parent", "orphan"):
        assert runs[name]["parent_run_id"] == root["id"]
    assert runs["before its parent"]["start_time"] == root["start_time"]
    assert runs["before its parent"]["extra"]["metadata"]["otel_start_time_unix_nano"]
    assert runs["orphan"]["extra"]["metadata"]["OTEL_PARENT_SPAN_ID"] == f"{99:016x}"


FAULTS = {
    "hangs up before": [Fault(when="before")],
    "hangs up after": [Fault()],
    "keeps it and hangs up": [Fault(when="stored")],
    "keeps it and fails": [Fault(503, when="stored")],
    "429 storm": [Fault(429)] * 5,
    "429 with a pause": [Fault(429, headers={"Retry-After": "1"})],
    "errors": [Fault(status) for status in (500, 502, 503, 504, 408, 425)],
    "html": [Fault(502, b"<html>bad gateway</html>", {"X-From": "nginx"})],
    "slow": [Fault(slow=True)],
    "409": [Fault(409)],
}


@pytest.mark.parametrize("known", ["drop-all", "accept-new"])
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_or_there_twice_whatever_the_server_does(start, servers, fault, known):
    server = servers(known=known)
    weir = start(exporters=langsmith(server))
    server.fail(*FAULTS[fault])
    spans = [one for number in range(30, 36) for one in a_tree(number, 60)]
    for number in range(0, len(spans), 45):
        send(weir, *spans[number : number + 45])
    eventually(lambda: ids(spans) <= server.all_runs().keys(), story(weir, server), 20)
    weir.drain()
    assert len(server.all_runs()) == len(spans)
    assert not server.violations
    assert {request.rule for request in server.requests if request.status != 409} == {""}


def test_a_retry_has_the_same_bytes(start, server):
    weir = start(exporters=langsmith(server))
    server.fail(Fault(503), Fault())
    tree = a_tree(40, 9)
    send(weir, *tree)
    arrives(weir, server, tree)
    bodies = {request.body for request in server.posts()}
    assert len(server.posts()) == 3 and len(bodies) == 1


def test_requests_keep_the_limits_of_info(start, servers):
    server = servers(info=smith.info(size_limit=7, size_limit_bytes=200_000, zstd=False))
    weir = start(exporters=langsmith(server))
    tree = a_tree(41, 40)
    big = [span(42, number, attributes={"input.value": "x" * 60_000}, name=f"big {number}") for number in range(1, 9)]
    send(weir, *tree, *big)
    runs = arrives(weir, server, tree)
    eventually(lambda: len(server.all_runs()) == len(tree) + len(big), story(weir, server))
    assert {len(request.operations) for request in server.posts()} <= set(range(1, 8))
    assert {request.headers["content-encoding"] for request in server.posts()} == {"gzip"}
    assert runs


def test_no_request_is_made_before_info_is_known(start, server, tmp_path, journal):
    keys = dict(
        exporters=langsmith(server, sending_queue={"batch": {"max_spans": 3}}), journal=journal,
        directory=tmp_path / "same")
    server.stop()
    weir = start(**keys)
    trees = [a_tree(number, 3) for number in range(80, 100)]
    for tree in trees:
        send(weir, *tree)
    weir.kill()
    server.start()
    weir = start(**keys)
    arrives(weir, server, [span for tree in trees for span in tree])
    assert {request.headers["content-encoding"] for request in server.posts()} == {"zstd"}


def test_a_run_that_is_too_large_is_trimmed_and_says_so(start, servers):
    server = servers(info=smith.info(size_limit_bytes=100_000))
    weir = start(exporters=langsmith(server))
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4, "gen_ai.prompt": "ä" * 80_000, "gen_ai.completion": "b" * 300_000,
    }
    one = span(43, 1, attributes=attributes)
    send(weir, one)
    run = next(iter(arrives(weir, server, [one]).values()))
    assert run["outputs"]["weir_trimmed"]["bytes"] > 300_000
    assert run["outputs"]["usage_metadata"]["total_tokens"] == 7
    assert set(run["extra"]["metadata"]["weir_trimmed_fields"]) == {"inputs", "outputs"}
    assert weir.metric("weir_langsmith_trimmed_runs", exporter="langsmith") == 1


def test_a_server_without_info_and_multipart_gets_batches(start, servers):
    server = servers(info=None)
    server.missing = {"/runs/multipart"}
    weir = start(exporters=langsmith(server))
    tree = a_tree(44, 20)
    send(weir, *tree)
    arrives(weir, server, tree)
    assert [request.path for request in server.posts()] == ["/runs/multipart", "/runs/batch"]
    send(weir, *a_tree(45, 3))
    eventually(lambda: len(server.posts()) == 3, story(weir, server))
    assert server.posts()[-1].path == "/runs/batch"


def test_the_bad_run_goes_to_the_dead_letters_with_what_the_server_said(start, server):
    weir = start(exporters=langsmith(server))
    take = server.take

    def picky(request, path):
        if b"poison" in smith.rules.decoded(request.headers, request.body, True):
            raise smith.rules.unprocessable("R99", "we do not like this one")
        take(request, path)

    server.take = picky
    tree = a_tree(46, 40)
    tree[17].name = "poison"
    send(weir, *tree)
    good = tree[:17] + tree[18:]
    eventually(lambda: ids(good) <= server.all_runs().keys(), story(weir, server), 20)
    weir.drain()
    assert len(server.all_runs()) == len(good)
    letters = list(weir.directory.glob("data/journal/*/dead_letters/langsmith/letters.jsonl"))
    letter = [json.loads(line) for line in letters[0].read_text().splitlines()]
    assert [one["spans"] for one in letter] == [1]
    assert "we do not like this one" in letter[0]["reason"]


def test_a_key_that_does_not_work_parks_its_tenant_until_it_does(start, server):
    weir = start(exporters=langsmith(server, api_key="lsv2_pt_wrong_key"))
    tree = a_tree(47, 5)
    send(weir, *tree)
    eventually(lambda: weir.metric("weir_exporter_parked_spans", exporter="langsmith", pipeline="traces") == 5, weir.log)
    assert "lsv2_pt_wrong_key" not in weir.log()
    assert server.all_runs() == {}
    server.keys["lsv2_pt_wrong_key"] = [smith.WORKSPACE]
    eventually(lambda: ids(tree) <= server.all_runs().keys(), story(weir, server), 20)


def test_what_is_parked_for_an_exporter_that_is_gone_is_told(start, server, tmp_path):
    weir = start(directory=tmp_path / "weir", exporters=langsmith(server, api_key="lsv2_pt_wrong_key"))
    send(weir, *a_tree(48, 5))
    eventually(lambda: weir.metric("weir_exporter_parked_spans", exporter="langsmith", pipeline="traces") == 5, weir.log)
    weir.stop()
    weir = start(directory=tmp_path / "weir", exporters={"langsmith/x": langsmith(server)["langsmith"]})
    told = "an exporter that is not configured any more had not got everything"
    assert any(told in line and "exporter=langsmith" in line and "spans=5" in line for line in weir.log().splitlines())
    status = command("journal", "status", "--config", str(weir.config), cwd=weir.directory)
    assert "  parked for langsmith: 5 spans\n  parked for langsmith/x: 0 spans\n" in status.stdout, status


def test_project_workspace_and_path_are_those_of_the_configuration(start, server):
    project = 'Größe "1" / süß\\'
    weir = start(exporters=langsmith(server, endpoint=server.url + "/api/v1/", project=project, workspace=smith.WORKSPACE,
                                     project_attribute="team"))
    one = span(48, 1, name="mine")
    two = span(49, 1, name="theirs", attributes={"team": "blue"})
    three = span(50, 1, name="own", attributes={"langsmith.trace.session_name": "red"})
    send(weir, one, two, three)
    runs = {run["name"]: run["session_name"] for run in arrives(weir, server, [one, two, three]).values()}
    assert runs == {"mine": project, "theirs": "blue", "own": "red"}
    assert {request.headers["x-tenant-id"] for request in server.posts()} == {smith.WORKSPACE}


def test_content_can_be_withheld_and_usage_is_not(start, server):
    weir = start(exporters=langsmith(server, hide_inputs=True, hide_outputs=True))
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4, "gen_ai.prompt": "hush", "gen_ai.completion.0.content": "hush",
        "llm.prompts": "hush", "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hush"}]}]',
    }
    one = span(51, 1, attributes=attributes)
    event = one.events.add(name="gen_ai.user.message", time_unix_nano=WHEN)
    event.attributes.append(attribute("content", "hush"))
    send(weir, one)
    run = next(iter(arrives(weir, server, [one]).values()))
    assert "hush" not in json.dumps(run)
    assert run["outputs"] == {"usage_metadata": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}}
    assert run["extra"]["metadata"]["usage_metadata"]["total_tokens"] == 7


def test_what_langsmiths_client_exports_over_otlp_becomes_the_runs_that_it_would_send_itself(start, server):
    weir = start(exporters=langsmith(server))
    answer = post(weir.endpoint, captures.capture("otel").body)
    assert answer.rejected() == 0
    eventually(lambda: len(server.all_runs()) == 3, story(weir, server))
    runs = {run["name"]: run for run in server.verify().values()}
    call = runs["ChatOpenAI"]
    assert (call["run_type"], call["session_name"], call["tags"]) == ("llm", "fwd-demo", ["prod", "eu"])
    usage = call["outputs"]["usage_metadata"]
    assert usage["input_tokens"] == 27 and usage["input_token_details"] == {"cache_read": 5}
    assert call["extra"]["metadata"]["ls_provider"] == "openai"
    assert call["extra"]["metadata"]["thread_id"] == "t-1"
    assert not any(key.startswith("LANGSMITH_") for key in call["extra"]["metadata"])
    assert runs["agent"]["inputs"] == {"question": "What is the capital of France?"}
    failed = [run for run in runs.values() if run.get("error")]
    assert len(failed) == 1 and "boom: no such city" in failed[0]["error"]


def test_every_destination_gets_everything_under_ids_of_its_own(start, servers):
    first, second = servers(), servers()
    copy = {"api_url": second.url + "/api/v1", "api_key": smith.KEY, "project_name": "copy"}
    exporters = langsmith(first, runs_endpoints=json.dumps([{"api_url": first.url, "api_key": smith.KEY}, copy]))
    del exporters["langsmith"]["endpoint"], exporters["langsmith"]["api_key"]
    second.stop()
    weir = start(exporters=exporters)
    tree = a_tree(52, 5)
    send(weir, *tree)
    eventually(lambda: ids(tree) <= first.all_runs().keys(), story(weir, first))
    second.start()
    eventually(lambda: len(second.all_runs()) == 5, story(weir, second), 20)
    assert smith.KEY not in weir.log()
    ours, theirs = first.verify(), second.verify()
    assert not ours.keys() & theirs.keys()
    assert {run["session_name"] for run in theirs.values()} == {"copy"}
    assert [request.status for request in first.posts()] == [202], "what one has taken is not sent to it again"


@pytest.mark.parametrize("trouble", ["away", "key"])
def test_a_destination_in_trouble_holds_up_no_other(start, servers, trouble):
    first, second = servers(), servers()
    key = "lsv2_pt_wrong_key" if trouble == "key" else smith.KEY
    endpoints = [{"api_url": first.url, "api_key": smith.KEY}, {"api_url": second.url, "api_key": key}]
    exporters = langsmith(first, runs_endpoints=json.dumps(endpoints), sending_queue={"num_consumers": 1})
    del exporters["langsmith"]["endpoint"], exporters["langsmith"]["api_key"]
    if trouble == "away":
        second.stop()
    weir = start(exporters=exporters)
    trees = [a_tree(number, 4) for number in range(54, 60)]
    for tree in trees:
        send(weir, *tree)
        eventually(lambda tree=tree: ids(tree) <= first.all_runs().keys(), story(weir, first))
    assert second.all_runs() == {}
    if trouble == "away":
        second.start()
    else:
        second.keys[key] = [smith.WORKSPACE]
    eventually(lambda: len(second.all_runs()) == 24, story(weir, second), 20)
    weir.drain()
    assert len(first.verify()) == len(second.all_runs()) == 24 and not second.violations
    assert {request.status for request in first.posts()} == {202}


def test_only_fields_that_are_revealed_are_sent_in_clear(start, server, tmp_path):
    (tmp_path / "kek").write_text(base64.b64encode(bytes([7]) * 32).decode() + "\n")
    (tmp_path / "kek").chmod(0o600)
    exporters = langsmith(server, reveal=["gen_ai.prompt"], keystore="keystore")
    text = configuration(exporters=exporters).replace(
        "exporters:\n",
        f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ file: {tmp_path}/kek }}, path: {tmp_path}/keys/keys.db }}
processors:
  encryption: {{ fields: ["gen_ai.prompt", "gen_ai.completion", "note"], status_message: true, keystore: keystore }}
exporters:
""", 1).replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [encryption]\n")
    weir = start(text=text)
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.prompt": '{"q":"open"}', "gen_ai.completion": "hush", "note": "hush"}
    one = span(53, 1, attributes=attributes)
    one.status.code, one.status.message = 2, "hush"
    send(weir, one)
    run = next(iter(arrives(weir, server, [one]).values()))
    assert run["inputs"] == {"q": "open"}
    assert run["outputs"] == {"output": "[encrypted]"}
    assert run["extra"]["metadata"]["note"] == "[encrypted]" and run["error"] == "[encrypted]"
    assert "hush" not in json.dumps(run) and "weir1." not in json.dumps(run)
    assert weir.metric("weir_exporter_revealed_values", exporter="langsmith") == 1
    keys = sqlite3.connect(tmp_path / "keys" / "keys.db")
    audit = keys.execute("SELECT actor, action, detail FROM key_audit").fetchall()
    assert ("exporter langsmith", "reveal", "fields of tenant default") in audit


def test_says_what_is_wrong_with_a_configuration(tmp_path):
    keys = {"langsmith": {"endpoint": "http://x", "api_key": "", "workspace": "none", "reveal": ["a"]}}
    config = tmp_path / "collector.yaml"
    config.write_text(configuration(exporters=keys))
    result = command("check", "--config", config)
    assert result.returncode != 0
    for what in ("api_key", "a UUID", "keystore"):
        assert what in result.stderr + result.stdout
