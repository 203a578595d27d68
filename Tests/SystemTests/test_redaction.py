"""Redaction from end to end: nothing that the SDK sent in clear stands in any file that Weir wrote, nor in its metrics."""

import json
import pathlib

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

import archives
from weir import command, configuration

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
