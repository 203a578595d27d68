"""Redaction from end to end: nothing that the SDK sent in clear stands in any file that Weir wrote, nor in its metrics."""

import json
import pathlib
import re
import subprocess

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

import archives
from weir import BINARY, command, configuration

MAIL = "jo.bloggs@mail-of-jo.io"
CARD = "4111 1111 1111 1111"
TELEPHONE = "+44 20 7946 0958"
USER = "customer-77-jo"
SECRETS = [MAIL, CARD, TELEPHONE, USER, "mail-of-jo", "7946 0958"]


def make_span(endpoint):
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "owner": MAIL}, schema_url=f"https://a.io/{MAIL}"))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"http://{endpoint}/v1/traces", timeout=10)))
    tracer = provider.get_tracer(f"scope of {MAIL}", MAIL, attributes={"mail": MAIL})
    linked = SpanContext(1, 2, True, TraceFlags(1), TraceState([("vendor", "x:1")]))
    messages = [{"role": "user", "parts": [{"type": "text", "content": f"I am {MAIL}, {TELEPHONE}"}]}]
    nested = json.dumps({"arguments": json.dumps({"card": CARD, "user_id": USER})})
    attributes = {
        "user.id": USER, "list": ["a", MAIL], "gen_ai.input.messages": json.dumps(messages), "nested": nested,
        "bytes": TELEPHONE.encode(), f"key of {MAIL}": 1, "http.route": "/orders",
    }
    span = tracer.start_span(f"GET /{MAIL}", attributes=attributes, links=[Link(linked, {"mail": MAIL})])
    span.add_event(f"event of {MAIL}", {"card": CARD})
    span.record_exception(ValueError(f"cannot reach {TELEPHONE}"))
    span.set_status(Status(StatusCode.ERROR, f"no answer from {TELEPHONE}"))
    span.end()
    provider.shutdown()


def test_nothing_of_what_was_sent_reaches_a_disk(start, tmp_path):
    archive = dict(directory=str(tmp_path / "archive"), format="otlp_proto", compression="none", max_file_age="1s")
    text = configuration(exporters={"archive": archive, "debug": {"verbosity": "detailed"}})
    text = text.replace("exporters:\n", "processors:\n  redaction: { summary: debug }\nexporters:\n", 1)
    text = text.replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [redaction]\n")
    weir = start(text=text)
    make_span(weir.endpoint)
    metrics = weir.get("/metrics")[2]
    assert 'detector="email"' in metrics
    weir.stop()
    files = [path for path in pathlib.Path(tmp_path).rglob("*") if path.is_file()]
    assert any("journal" in str(path) for path in files)
    for path in files:
        content = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in content, f"{secret} in {path}"
            assert secret not in metrics
    [found] = archives.spans(tmp_path / "archive")
    values = {pair.key: pair.value for pair in found.span.attributes}
    assert values["user.id"].string_value.startswith("tok_id_")
    assert values["http.route"].string_value == "/orders"
    assert json.loads(values["gen_ai.input.messages"].string_value)[0]["parts"][0]["content"] == "I am [EMAIL], [PHONE]"
    inner = json.loads(json.loads(values["nested"].string_value)["arguments"])
    assert inner["card"] == "[CREDIT_CARD]" and inner["user_id"] == values["user.id"].string_value
    assert values["redaction.count"].int_value > 8
    assert found.span.status.message == "no answer from [PHONE]"


def test_the_command_gives_back_line_for_line():
    found = command("redact", text=f"ask {MAIL}\n\nplain\n")
    assert (found.returncode, found.stdout) == (0, "ask [EMAIL]\n\nplain\n"), found.stderr
    assert command("redact", text="no end").stdout == "no end\n"
    assert command("redact", text="").stdout == ""


def memory_peak(text):
    """The largest resident size of `weir redact` on the text, in bytes. What that becomes is more than a pipe takes."""
    with subprocess.Popen([BINARY, "redact"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(text.encode())
        process.stdin.close()
        assert process.stdout.read(1)
        # What wait4(2) says may be the size of this process, of which the other was a fork.
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        process.stdout.read()
    assert process.returncode == 0
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_a_long_name_in_front_of_many_parts_takes_little_memory():
    name = "n" * 100_000
    text = json.dumps({name: {"parts": [{"text": "a"}] * 8000}})

    def of(*pairs):
        return {"kvlistValue": {"values": [{"key": key, "value": value} for key, value in pairs]}}

    part = of(("text", {"stringValue": "a"}))
    as_map = of((name, of(("parts", {"arrayValue": {"values": [part] * 8000}}))))
    for value in ({"stringValue": text}, as_map):
        span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "x",
                "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": [{"key": "a", "value": value}]}
        request = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) + "\n"
        # A copy of the name for each part would be 800 MB.
        assert memory_peak(request) < 400e6


RULES = """
receivers: { otlp: { protocols: { http: {} } } }
processors:
  redaction:
    key: 0123456789abcdef0123456789abcdef
    allow: ["*@example.com"]
    blocked_values: ["X-[0-9]+"]
    rules: [ { name: customer, pattern: 'K-\\d{4}' } ]
exporters: { debug: {} }
service: { pipelines: { traces: { receivers: [otlp], processors: [redaction], exporters: [debug] } } }
"""


def test_who_tries_it_out_makes_no_secret(tmp_path):
    (tmp_path / "collector.yaml").write_text(RULES.replace("    key: 0123456789abcdef0123456789abcdef\n", ""))
    user = {"key": "user.id", "value": {"stringValue": "u-1"}}
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "x",
            "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": [user]}
    request = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    (tmp_path / "request.json").write_text(request)
    tries = ["redact", "--config", "collector.yaml"], ["test", "collector.yaml", "--input", "request.json"]
    for words in tries:
        found = command(*words, cwd=tmp_path, text=request)
        assert found.returncode == 0 and "tok_id_" in found.stdout, found.stderr
    # Who started Weir first would be the only one to read it.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collector.yaml", "request.json"]


def test_the_command_tells_where_in_a_request_something_stands(tmp_path):
    def text(key, value):
        return {"key": key, "value": {"stringValue": value}}

    members = [text("mail", f"K-1234 of {MAIL}"), text("b", "plain")]
    nested = {"key": "a", "value": {"kvlistValue": {"values": members}}}
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
        "name": f"GET /{MAIL}", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
        "attributes": [text("n", "plain"), nested, text(f"of {MAIL}", "x"), text("db.password", "x")],
        "events": [{"name": "e", "attributes": [text("card", CARD)]}],
    }
    scope = {"scope": {"name": "s"}, "spans": [span]}
    request = {"resourceSpans": [{"resource": {"attributes": [text("owner", MAIL)]}, "scopeSpans": [scope]}]}
    (tmp_path / "collector.yaml").write_text(RULES)
    found = command("redact", "--config", str(tmp_path / "collector.yaml"), "--explain", text=json.dumps(request))
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [
        f'- owner: "{MAIL}"', '+ owner: "[EMAIL]"', "  resource 1: email mask",
        f'- name: "GET /{MAIL}"', '+ name: "GET /[EMAIL]"', "  span 1: email mask",
        f'- a: {{"mail": "K-1234 of {MAIL}", "b": "plain"}}', '+ a: {"mail": "[CUSTOMER] of [EMAIL]", "b": "plain"}',
        "  span 1: email mask, customer mask",
        f'- "of {MAIL}": "x"', '+ "of [EMAIL]": "x"', "  span 1: email mask",
        '- db.password: "x"', '+ db.password: "[MASKED]"', "  span 1: key mask",
        f'- card: "{CARD}"', '+ card: "[CREDIT_CARD]"', "  span 1, event 1: credit_card mask",
    ]
    # It tells what redaction does.
    whole = command("redact", "--config", str(tmp_path / "collector.yaml"), text=json.dumps(request)).stdout
    for line in found.stdout.splitlines():
        if line.startswith("+ ") and "{" not in line:
            assert line.split(": ", 1)[1] in whole


def test_the_command_tells_what_rules_and_patterns_find(tmp_path):
    (tmp_path / "collector.yaml").write_text(RULES)
    lines = [{"text": f"K-1234 of {MAIL}"}, {"text": "X-77 of bob@example.com"}, {"text": "plain"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    found = command("redact", "--config", str(tmp_path / "collector.yaml"), "--findings", text=text)
    assert found.returncode == 0, found.stderr
    assert [json.loads(line) for line in found.stdout.splitlines()] == [
        [[0, 6, "CUSTOMER"], [10, 10 + len(MAIL), "EMAIL"]], [[0, 4, "BLOCKED_VALUES_0"]], [],
    ]
