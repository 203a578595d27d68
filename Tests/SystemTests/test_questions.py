"""What the hot tables are asked over HTTP: the same as `weir query` finds, of the tenant of the key and of no other."""

import http.client
import json
import time
import urllib.parse

import pytest

from keys import new_key
from otlp import a_body, a_span, request_json, span_json, text
from waiting import eventually
from weir import command, configuration, postgres, sqlite
from wire import post

NOW = time.time_ns()


@pytest.fixture(params=["sqlite", "postgres"])
def asked(request, start, tmp_path):
    """A program with the spans of two tenants in its tables."""
    keys, entries = {}, []
    for who, tenant, scope in [
        ("shop", "shop", "ingest"), ("bank", "bank", "ingest"), ("shop-reader", "shop", "read"),
        ("bank-reader", "bank", "read"), ("page", "shop", "beacon"),
    ]:
        keys[who], entry = new_key(tenant, scope)
        entries.append(entry.replace(f'name: "{tenant}"', f'name: "{who}"'))
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    auth = {"authenticator": "api_keys"}
    keys_of = {
        "sqlite": lambda: sqlite(tmp_path / "hot"),
        "postgres": lambda: postgres(request.getfixturevalue("database")),
    }[request.param]()
    text = configuration(http={"auth": auth}, exporters={request.param: keys_of})
    text += f"  operations: {{ endpoint: 127.0.0.1:0, auth: {json.dumps(auth)} }}\n"
    text += f"extensions: {{ api_keys: {{ file: {tmp_path}/keys.yaml }} }}\n"
    asked = Asked(start(text=text), keys)
    for tenant in ["shop", "bank"]:
        asked.send(tenant)
    asked.weir.drain()
    return asked


class Asked:
    def __init__(self, weir, keys):
        self.weir, self.keys = weir, keys
        self.endpoint = weir._listening("operations")

    def send(self, tenant):
        spans = [
            a_span(
                name=f"{tenant} {number}", start_time_unix_nano=NOW + number * 1000,
                end_time_unix_nano=NOW + number * 1000 + 1_000_000, attributes=[text("n", str(number))],
            )
            for number in range(3)
        ]
        answer = post(self.weir.endpoint, a_body(*spans), headers=[("X-API-Key", self.keys[tenant])])
        assert answer.status == 200, answer

    def ask(self, word, who="shop-reader", method="GET", **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        host, port = self.endpoint.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self.keys[who]}"} if who else {}
            connection.request(method, f"/api/v1/query/{word}" + (f"?{query}" if query else ""), headers=headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def rows(self, word, who="shop-reader", **parameters):
        status, answer = self.ask(word, who, **parameters)
        assert status == 200, answer
        return answer["rows"]

    def command(self, word, *words):
        done = command("query", word, "--config", str(self.weir.config), "--format", "json", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_answers_are_those_of_the_command(asked):
    found = asked.rows("search")
    assert [row["name"] for row in found] == ["shop 2", "shop 1", "shop 0"]
    assert found == asked.command("search", "--tenant", "shop")
    trace = found[0]["trace_id"]
    assert asked.rows("trace", id=trace) == asked.command("trace", trace, "--tenant", "shop")
    for word in ["services", "operations", "latency", "unpriced"]:
        assert asked.rows(word) == asked.command(word, "--tenant", "shop"), word
    assert asked.rows("latency", step="1m", service=found[0]["service"]) == asked.command(
        "latency", "--tenant", "shop", "--step", "1m", "--service", found[0]["service"]
    )
    assert asked.rows("cost", by="model") == asked.command("cost", "--by", "model", "--tenant", "shop")
    assert len(asked.rows("search", attribute=["n=1"], name="shop 1", status="unset", min_duration="1ms", roots="true")) == 1
    assert asked.rows("search", min_duration="2ms") == asked.rows("search", to="2020-01-01T00:00:00Z") == []
    longest = f"{2 ** 63 - 1}ns"
    assert asked.rows("search", min_duration=longest) == [] and len(asked.rows("search", max_duration=longest)) == 3


def test_pages_follow_each_other(asked):
    status, first = asked.ask("search", limit=2)
    assert status == 200 and first["has_more"] and len(first["rows"]) == 2
    status, rest = asked.ask("search", limit=2, after=first["next"])
    assert [row["name"] for row in rest["rows"]] == ["shop 0"] and rest["has_more"] is False and rest["next"] is None


def test_nobody_reads_what_belongs_to_another(asked):
    trace = asked.rows("search", "bank-reader")[0]["trace_id"]
    assert asked.rows("trace", id=trace) == []
    assert {row["name"] for row in asked.rows("search", "bank-reader")} == {"bank 0", "bank 1", "bank 2"}
    assert asked.rows("search", name="bank 1") == asked.rows("search", name="x' OR name = 'bank 1") == []
    cursor = asked.rows("search", "bank-reader")[0]["cursor"]
    assert {row["name"][:4] for row in asked.rows("search", after=cursor)} <= {"shop"}
    for name in ["bank", "..", "shop/../bank", "*", "%"]:
        assert asked.ask("search", tenant=name)[0] == 403
    assert asked.weir.metric("weir_foreign_tenant_requests") == 5
    told = [line for line in asked.weir.records() if line.get("http_status") == "403"]
    assert len(told) == 5 and all((line["client"], line["tenant"]) == ("127.0.0.1", "shop") for line in told)
    assert asked.rows("search", tenant="shop") == asked.rows("search")
    for who, status in [(None, 401), ("shop", 403), ("page", 403)]:
        assert asked.ask("search", who)[0] == status
    assert asked.weir.metric("weir_authentication_requests", component="operations", outcome="forbidden") == 2


def test_what_is_wrong_is_said(asked):
    for word, parameters, said in [
        ("trace", {}, "id: is missing, wanted 32 hexadecimal digits"),
        ("trace", {"id": "7"}, 'id: found "7", wanted 32 hexadecimal digits'),
        ("search", {"sevice": "a"}, 'found "sevice", wanted one of'),
        ("search", {"sevice": "a"}, 'did you mean "service"?'),
        ("search", {"since": "1y"}, 'since: found "1y", wanted a duration'),
        ("search", {"since": "1h", "from": "2026-01-01"}, "found since and from, wanted one of them"),
        ("search", {"from": "yesterday"}, 'from: found "yesterday", wanted a time such as'),
        ("search", {"limit": "many"}, 'limit: found "many", wanted a number'),
        ("search", {"limit": 1001}, "found limit 1001, wanted 1...1000"),
        ("search", {"after": "x"}, 'found cursor "x"'),
        ("search", {"after": "7fffffffffffffff" + "1" * 16}, 'found cursor "7fffffffffffffff'),
        ("search", {"status": "bad"}, "wanted one of unset, ok, error"),
        ("search", {"attribute": "a"}, "wanted key=value"),
        ("search", {"attribute": ["a=b"] * 17}, "found 17 attributes, wanted at most 16"),
        ("search", {"service": "x" * 1025}, "service: wanted a value of 1 to 1024 bytes"),
        ("search", {"service": ["a", "b"]}, "service: found 2 values, wanted one"),
        ("search", {"exporter": "none"}, 'exporter: found "none", wanted one of '),
        ("search", {"service": "\0"}, "wanted text without it"),
        ("cost", {}, "by: is missing, wanted one of tenant, user"),
        ("cost", {"by": "colour"}, 'by: found "colour"'),
    ]:
        status, answer = asked.ask(word, **parameters)
        assert status == 400 and said in answer["error"], (word, parameters, answer)
    assert asked.ask("nothing")[0] == 404
    assert asked.ask("search", method="POST")[0] == 405


def test_without_tables_that_is_said(start, tmp_path):
    text = configuration(exporters={"debug": {}}) + "  operations: { endpoint: 127.0.0.1:0 }\n"
    status, answer = Asked(start(text=text), {}).ask("search", None)
    assert status == 400 and answer["error"] == "exporter: is missing, wanted an exporter postgres or sqlite first"


def test_without_keys_the_tenant_is_said(start, tmp_path):
    text = configuration(exporters={"sqlite": sqlite(tmp_path / "hot")}) + "  operations: { endpoint: 127.0.0.1:0 }\n"
    weir = start(text=text)
    assert post(weir.endpoint, json.dumps(request_json(span_json(name="a"))).encode(), "application/json").status == 200
    asked = Asked(weir, {})
    window = {"from": "1970-01-02"}
    eventually(lambda: asked.rows("search", None, **window), weir.log)
    assert asked.rows("search", None, tenant="other", **window) == []


def test_an_empty_answer_says_where_to_look(asked):
    def note(*words):
        return command("query", *words, "--config", str(asked.weir.config), cwd=asked.weir.directory).stderr

    said = note("search", "--from", "2026-02-03", "--to", "2026-02-04")
    assert 'found nothing of that from 2026-02-03T00:00:00Z on before 2026-02-04T00:00:00Z' in said
    assert 'which --since, --from and --to change; it is tenant "default" that --tenant names' in said
    assert 'tenant "nobody"' in note("trace", "1" * 32, "--tenant", "nobody")
    assert "no pipeline has a cost processor" in note("cost", "--tenant", "shop")
    assert "found nothing" not in note("search", "--tenant", "shop")
