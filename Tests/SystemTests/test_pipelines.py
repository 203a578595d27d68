"""Files of teams: examples that do what they say, and one team's mistake that is nobody else's."""

import base64
import json
import os
import pathlib
import re
import shutil

import grpc
import pytest

import archives
import tables
from keys import new_key
from otlp import a_body, a_span, request_json, span_json
from test_grpc import refusal, retry_delay
from test_reload import Reloading
from weir import ROOT, archive, command
from wire import exchange, post, post_json, request

DATA = pathlib.Path(__file__).parent / "data"
TEAMS = ROOT / "docs/examples/teams.yaml"
SECRETS = {"WEIR_KEK": base64.b64encode(bytes(32)).decode(), "LANGSMITH_API_KEY": "any"}
EXAMPLES = sorted(path.stem for path in (ROOT / "pipelines").glob("*.yaml"))

MAIN = """\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0 }} }} }}
service:
  telemetry: {{ metrics: {{ endpoint: 127.0.0.1:0 }} }}
  operations: {{ endpoint: 127.0.0.1:0 }}
  journal: {{ directory: {0}/journal, max_bytes: 64MiB }}
  pipelines_directory: {1}
"""

TEAM = """\
owner: {0}@example.com
processors:
  attributes: {{ actions: [ {{ key: team, value: "{1}", action: upsert }} ] }}
exporters:
  archive: {{ directory: {2}/{0}, format: otlp_proto, compression: none, max_file_age: 1s }}
pipelines:
  traces: {{ receivers: [otlp], processors: [attributes], exporters: [archive] }}
"""


@pytest.fixture
def teams(tmp_path):
    directory = tmp_path / "pipelines"
    directory.mkdir()

    def write(name, value):
        (directory / f"{name}.yaml").write_text(TEAM.format(name, value, tmp_path))
        return directory / f"{name}.yaml"

    write("shop", "one")
    write("bank", "one")
    return write


def values(directory):
    return {
        span.span.name: {pair.key: pair.value.string_value for pair in span.span.attributes}.get("team")
        for span in archives.spans(directory)
    }


def test_one_teams_mistake_leaves_its_pipeline_as_it_was(start, teams, tmp_path):
    program = Reloading(start(text=MAIN.format(tmp_path, tmp_path / "pipelines")))

    def send(name):
        assert post(program.weir.endpoint, a_body(a_span(name=name))).status == 200

    send("a")
    wrong = teams("shop", "two")
    wrong.write_text(wrong.read_text().replace("action: upsert", "action: upset"))
    teams("bank", "two")
    status, answer = program.ask("POST", "/-/reload")
    assert status == 200 and answer["status"] == "applied in part"
    assert len(answer["problems"]) == 1 and answer["problems"][0].startswith(f"{wrong}:3: processors.attributes")
    assert program.weir.metric("weir_reloads", outcome="partial", reason="pipeline_file") == 1
    assert "shop.yaml:3" in program.weir.get("/healthz")[2]
    send("b")
    teams("shop", "three")
    assert program.ask("POST", "/-/reload") == (200, {"status": "applied"})
    assert program.weir.get("/healthz")[2] == "ok\n"
    send("c")
    (tmp_path / "pipelines" / "bank.yaml").unlink()
    assert program.ask("POST", "/-/reload") == (200, {"status": "applied"})
    send("d")
    program.weir.stop()
    assert values(tmp_path / "shop") == {"a": "one", "b": "one", "c": "three", "d": "three"}
    assert values(tmp_path / "bank") == {"a": "one", "b": "two", "c": "two"}


@pytest.fixture
def guarded(start, tmp_path):
    """Teams with a tenant each, and a pipeline of `collector.yaml` that takes everybody's and has no redaction."""
    keys, entries = {}, ""
    for tenant, scope in [("shop", "ingest"), ("bank", "ingest"), ("cafe", "ingest"), ("page", "beacon")]:
        keys[tenant], entry = new_key(tenant, scope)
        entries += entry
    (tmp_path / "keys.yaml").write_text("keys:\n" + entries)
    (tmp_path / "pipelines").mkdir()
    auth = "auth: { authenticator: api_keys }"
    page = f'beacon: {{ endpoint: 127.0.0.1:0, allowed_origins: ["*"], {auth} }}'
    main = MAIN.format(tmp_path, tmp_path / "pipelines")
    main = main.replace("http: {", f"grpc: {{ endpoint: 127.0.0.1:0, {auth} }}, http: {{ {auth},")
    main = main.replace("service:", f"  {page}\nservice:", 1)
    main += "  pipelines: { traces: { receivers: [otlp], exporters: [archive/rest] } }\n"
    main += f"extensions: {{ api_keys: {{ file: {tmp_path}/keys.yaml }} }}\n"
    main += f"exporters: {{ archive/rest: {json.dumps(archive(tmp_path / 'rest'))} }}\n"

    class Guarded:
        def write(self, name, wrong=False):
            file = tmp_path / "pipelines" / f"{name}.yaml"
            text = TEAM.format(name, "one", tmp_path).replace("[archive] }", f"[archive], tenants: [{name}] }}")
            file.write_text(text.replace("action: upsert", "action: upset") if wrong else text)
            return file

        def start(self):
            return start(text=main)

        def send(self, weir, tenant, name):
            return post(weir.endpoint, a_body(a_span(name=name)), headers=[("X-API-Key", keys[tenant])])

    made = Guarded()
    made.keys, made.text = keys, main
    return made


def test_a_start_goes_without_a_teams_mistake_and_refuses_what_it_would_take(guarded, tmp_path):
    wrong = guarded.write("shop", wrong=True)
    # A pipeline that takes what all pages send, too.
    wrong.write_text(wrong.read_text() + "  traces/pages: { receivers: [beacon], exporters: [archive] }\n")
    guarded.write("bank")
    program = Reloading(guarded.start())
    weir = program.weir
    done = command("check", "--config", str(weir.config))
    assert done.returncode == 1 and f"{wrong}:3: processors.attributes" in done.stderr

    def degraded():
        lines = [line for line in weir.records() if line.get("level") == "error"]
        assert lines[0]["message"] == "started without a pipeline file"
        assert lines[0]["problem"].startswith(f"{wrong}:3: processors.attributes")
        told = {(line["receivers"], line["tenants"]) for line in lines if line["message"].startswith("refuses spans")}
        assert told == {("otlp", "shop"), ("beacon", "all")}
        assert f"{wrong}:3" in weir.get("/healthz")[2] and weir.metric("weir_reload_last_applied") == 0
        refused = guarded.send(weir, "shop", "lost")
        assert refused.status == 503 and refused.retry_after() >= 1
        assert refused.error().message == "spans of the tenant shop wait for a file of pipelines that is in error: shop"
        error = refusal(weir, metadata=[("x-api-key", guarded.keys["shop"])])
        assert error.code() == grpc.StatusCode.UNAVAILABLE and retry_delay(error) >= 1
        page = request(b'{"events":[{"name":"a"}]}', "text/plain", path=f"/v1/beacon/{guarded.keys['page']}",
                       headers=[("Origin", "https://a.example")])  # fmt: skip
        refused = exchange(weir._listening("beacon"), page)
        assert refused.status == 503 and refused.retry_after() >= 1

    degraded()
    assert guarded.send(weir, "bank", "a").status == 200 and guarded.send(weir, "cafe", "b").status == 200
    assert program.ask("POST", "/-/reload")[1]["status"] == "applied in part"
    degraded()
    guarded.write("shop")
    assert program.ask("POST", "/-/reload") == (200, {"status": "applied"})
    assert weir.get("/healthz")[2] == "ok\n" and weir.metric("weir_reload_last_applied") == 1
    assert guarded.send(weir, "shop", "c").status == 200
    weir.stop()
    # Every pipeline that takes the tenant has the span, each in its own way, and no other.
    assert values(tmp_path / "rest") == {"a": None, "b": None, "c": None}
    assert values(tmp_path / "bank") == {"a": "one"} and values(tmp_path / "shop") == {"c": "one"}


def test_of_a_file_that_cannot_be_read_nobody_knows_whose_it_is(guarded, tmp_path):
    guarded.write("shop").write_text("owner: [")
    guarded.write("bank")
    weir = guarded.start()
    assert guarded.send(weir, "bank", "a").status == 200, "it has a pipeline that names it"
    assert guarded.send(weir, "shop", "b").status == 503 and guarded.send(weir, "cafe", "c").status == 503
    weir.stop()
    assert values(tmp_path / "rest") == {"a": None} and values(tmp_path / "bank") == {"a": "one"}


def test_a_start_says_what_waits_for_a_team_whose_file_is_in_error(start, tmp_path):
    file = tmp_path / "pipelines/shop.yaml"
    file.parent.mkdir()
    right = """\
owner: shop@example.com
exporters: { otlp_http: { endpoint: "http://127.0.0.1:1" } }
pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } }
"""
    main = MAIN.format(tmp_path, file.parent) + "  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }\n"
    main += "exporters: { debug: }\n"
    file.write_text(right)
    weir = start(text=main)
    assert post(weir.endpoint, a_body(a_span())).status == 200
    weir.stop()
    file.write_text(right.replace("exporters: [otlp_http]", "exporters: [otlp_htt]"))
    weir = start(text=main)
    said = [line for line in weir.records() if line.get("message", "").startswith("spans wait for a pipeline")]
    assert [(line["message"], line["pipeline"], line["spans"]) for line in said] == [
        ("spans wait for a pipeline whose file is in error", "traces/@shop", "1")
    ]


def test_where_no_pipeline_is_left_there_is_no_start(start, teams, tmp_path):
    for name in ("shop", "bank"):
        file = teams(name, "one")
        file.write_text(file.read_text().replace("action: upsert", "action: upset"))
    weir = start(ready=False, text=MAIN.format(tmp_path, tmp_path / "pipelines"))
    assert weir.wait() == 1
    assert weir.log().count(":3: processors.attributes") == 2


def test_a_pipeline_that_is_kept_gets_no_other_redaction(start, tmp_path):
    def main(content):
        text = MAIN.format(tmp_path, tmp_path / "pipelines")
        return text + f"processors: {{ redaction: {{ content: {content} }} }}\n" + "exporters:\n  archive: " + json.dumps(
            {"directory": str(tmp_path / "shop"), "format": "otlp_proto", "compression": "none", "max_file_age": "1s"}
        )

    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/shop.yaml").write_text(
        "owner: a\npipelines:\n  traces: { receivers: [otlp], processors: [redaction], exporters: [archive] }\n"
    )
    program = Reloading(start(text=main("hash")))
    # In error with it: what is to be encrypted is left as it is for a processor that is not there.
    status, answer = program.reload(main("encrypt"))
    assert status == 422 and "found redaction changed" in answer["problems"][-1]
    assert program.weir.metric("weir_reloads", outcome="rejected", reason="conflict") == 1
    prompt = {"key": "gen_ai.input.messages", "value": {"stringValue": "a-secret-prompt"}}
    assert post_json(program.weir.endpoint, request_json(span_json(attributes=[prompt]))).status == 200
    program.weir.stop()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"a-secret-prompt" in path.read_bytes()]
    assert kept == []


def test_a_tenant_that_no_pipeline_takes_is_told_so(start, teams, tmp_path):
    (tmp_path / "pipelines" / "bank.yaml").unlink()
    file = teams("shop", "one")
    file.write_text(file.read_text().replace("exporters: [archive]", "exporters: [archive], tenants: [shop]"))
    weir = start(text=MAIN.format(tmp_path, tmp_path / "pipelines"))
    answer = post(weir.endpoint, a_body())
    assert answer.status == 403
    assert answer.error().message == "no pipeline takes spans of the tenant default"


def check(tmp_path, *words):
    """`weir check` with the examples."""
    if not (tmp_path / "prices.yaml").exists():
        (tmp_path / "prices.yaml").symlink_to(ROOT / "prices.yaml")
    for name in ("pipelines", "telemetry"):
        if not (tmp_path / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    return command("check", "--config", str(TEAMS), *words, cwd=tmp_path, env=SECRETS)


def test_the_picture_has_every_pipeline_and_its_owner(tmp_path):
    done = check(tmp_path, "--graph", "text")
    assert (done.returncode, done.stderr) == (0, "")
    for name in EXAMPLES:
        assert f"traces/@{name}, " in done.stdout
    assert "cost/@langsmith-debug -> [journal] -> tail_sampling/@langsmith-debug -> [journal] -> langsmith" in done.stdout
    assert "otlp -> redaction/@compliance -> encryption/@compliance -> [journal] -> archive/@compliance" in done.stdout
    assert check(tmp_path, "--graph", "mermaid").stdout.split("\n")[1] == "flowchart LR"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_do_what_they_say(name, tmp_path):
    """The golden files are what a person has looked at; see the data directory."""
    check(tmp_path)
    own = DATA / f"pipelines-input-{name}.json"
    spans = own if own.exists() else DATA / "pipelines-input.json"
    words = ["test", f"pipelines/{name}.yaml", "--config", TEAMS, "--input", spans]
    done = command(*map(str, words), cwd=tmp_path, env={"LANGSMITH_API_KEY": "any"})
    assert done.returncode == 0, done.stderr
    # What is sealed is another text each time, and so is a token under a key that was drawn for the test.
    shown = re.sub(r'"weir1\.[A-Za-z0-9_-]{50,}"', '"weir1.…"', done.stdout)
    shown = re.sub(r'"tok_id_[a-z0-9]{16}"', '"tok_id_…"', shown)
    found = [line if line.startswith("#") else json.loads(line) for line in shown.split("\n")[:-1]]
    golden = DATA / f"pipelines-{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(golden.read_text()), json.dumps(found, indent=1)


def test_a_team_tests_its_file_while_another_ones_is_wrong(guarded, tmp_path):
    wrong = guarded.write("shop", wrong=True)
    guarded.write("bank")
    (tmp_path / "collector.yaml").write_text(guarded.text)

    def test(name):
        words = ["test", f"pipelines/{name}.yaml", "--config", "collector.yaml", "--tenant", "bank"]
        return command(*words, "--input", str(DATA / "pipelines-input.json"), cwd=tmp_path)

    done = test("bank")
    assert done.returncode == 0 and "# after attributes/@bank: 3 spans" in done.stdout
    assert f"{wrong}:3" in done.stderr
    done = test("shop")
    assert done.returncode == 1 and done.stdout == ""


def test_a_file_that_is_not_there_is_named(tmp_path):
    check(tmp_path)
    words = ["test", "pipelines/none.yaml", "--config", TEAMS, "--input", DATA / "pipelines-input.json"]
    done = command(*map(str, words), cwd=tmp_path, env=SECRETS)
    assert done.returncode != 0 and "found no pipelines of pipelines/none.yaml in" in done.stderr
    assert all(f"pipelines/{name}.yaml" in done.stderr for name in EXAMPLES)


def test_a_file_of_another_directory_is_another_one(tmp_path):
    check(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "pipelines" / "staging.yaml")
    shutil.copy(tmp_path / "pipelines" / "staging.yaml", tmp_path / "other")

    def test(file):
        words = ["test", file, "--config", TEAMS, "--input", DATA / "pipelines-input.json"]
        return command(*map(str, words), cwd=tmp_path, env=SECRETS)

    for file in ("other/staging.yaml", "nowhere/staging.yaml"):
        done = test(file)
        assert done.returncode != 0 and done.stdout == "" and f"found no pipelines of {file} in" in done.stderr
    for file in ("./pipelines/../pipelines/staging.yaml", str(tmp_path / "pipelines/staging.yaml"), "link.yaml"):
        assert test(file).returncode == 0, file


@pytest.mark.parametrize(
    "content, said", [(None, "open input.json: no such file"), ("{", "at byte"), ("[]", "wanted an export request in OTLP/JSON")]
)
def test_an_input_that_is_none_is_named(tmp_path, content, said):
    check(tmp_path)
    if content:
        (tmp_path / "input.json").write_text(content)
    words = ["test", "pipelines/staging.yaml", "--config", str(TEAMS), "--input", "input.json"]
    done = command(*words, cwd=tmp_path, env=SECRETS)
    assert done.returncode != 0 and "input.json" in done.stderr and said in done.stderr, done.stderr


def test_the_examples_run_together(start, tmp_path):
    """As they are, but for ports: what a backend and what a page sends is where each file says."""
    check(tmp_path)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", TEAMS.read_text())
    text += "  telemetry: { metrics: { endpoint: 127.0.0.1:0 } }\n"
    for name in ("pipelines", "telemetry", "prices.yaml"):
        (tmp_path / "w").mkdir(exist_ok=True)
        (tmp_path / "w" / name).symlink_to(ROOT / name)
    nowhere = {"LANGSMITH_ENDPOINT": "http://127.0.0.1:9"}
    weir = start(directory=tmp_path / "w", text=text, env={**SECRETS, **nowhere})
    assert post(weir.endpoint, (DATA / "pipelines-input.json").read_bytes(), "application/json").status == 200
    page = {"Origin": "http://localhost:8000"}.items()
    body = json.dumps({"events": [{"name": "page.view", "attributes": {"url.path": "/orders"}}]}).encode()
    answer = exchange(weir._listening("beacon"), request(body, "text/plain", path="/v1/beacon", headers=page))
    assert answer.status == 204, answer
    weir.stop()
    data = tmp_path / "w" / "data"
    everything = lambda name: b"".join(path.read_bytes() for path in (data / name).rglob("*") if path.is_file())
    sent = {span.span.name for span in archives.spans(data / "compliance")}
    assert sent == {"GET /healthz", "chat gpt-4o", "POST /login"}
    texts = [pair.value.string_value for span in archives.spans(data / "compliance") for pair in span.span.attributes]
    assert any(text.startswith("weir1.") for text in texts) and not any("4111" in text for text in texts)
    assert b"hunter2" not in everything("compliance")
    events = tables.sqlite_spans(data / "browser-ui-hot")
    assert [event["name"] for event in events] == ["page.view"]
    lines = (tmp_path / "w" / "weir.out").read_text()
    assert "chat gpt-4o" in lines and "POST /login" not in lines, "the lines of staging, and of nothing else"
