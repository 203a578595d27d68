"""Sends a small agent trace and a web request to a running Weir with the OpenTelemetry SDK, and shows what arrived.

Run it as `make demo` beside `make run`. What it prints is read from data/archive, not remembered.
"""

import base64
import contextlib
import json
import pathlib
import socket
import sys
import threading
import time

import zstandard
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

HOST, PORT = "127.0.0.1", 4318
ARCHIVE = pathlib.Path("data/archive")
DEADLINE = 30.0
SHOWN = (
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.tool.name",
    "http.route",
    "http.response.status_code",
    "db.query.text",
)


def main():
    try:
        socket.create_connection((HOST, PORT), timeout=2).close()
    except OSError as error:
        sys.exit(f"nothing listens on {HOST}:{PORT} ({error}); start Weir with `make run` in another terminal")
    sent = send()
    print(f"sent {sum(sent.values())} spans of {len(sent)} traces over OTLP/HTTP, gzip; waiting for them in {ARCHIVE}")
    spans = wait_for(sent)
    for trace_id in sent:
        print()
        show(trace_id, [span for span in spans if span["traceId"] == trace_id])


def send():
    """Makes the traces and sends them; returns the number of spans by trace id."""
    resource = Resource.create(
        {"service.name": "demo-shop", "service.version": "1.0", "deployment.environment.name": "demo"}
    )
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"http://{HOST}:{PORT}/v1/traces", compression=Compression.Gzip, timeout=10)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    counts = dict(
        [agent(provider.get_tracer("demo.agent", "1.0")), web_request(provider.get_tracer("demo.http", "1.0"))]
    )
    if not provider.force_flush(10_000):
        sys.exit("the spans were not taken; the log of Weir says why")
    provider.shutdown()
    return counts


class Story:
    """One trace, told with times as they could have been: its clock moves only when a span says how long it took."""

    def __init__(self, tracer, seconds):
        self.tracer = tracer
        self.now = time.time_ns() - int(seconds * 1e9)

    @contextlib.contextmanager
    def span(self, name, attributes, seconds=0.0, kind=SpanKind.INTERNAL):
        span = self.tracer.start_span(name, kind=kind, attributes=attributes, start_time=self.now)
        with trace.use_span(span):
            yield span
        self.now += int(seconds * 1e9)
        span.end(self.now)


def agent(tracer):
    """An agent that asks a model, calls a tool that fails once, and asks another model."""
    story = Story(tracer, seconds=6)
    with story.span("invoke_agent support", {"gen_ai.operation.name": "invoke_agent"}, 0.02) as root:
        llm(story, "gpt-4o", 412, 38, "tool_calls", 1.31)
        with story.span("execute_tool lookup_order", tool("call-1"), 2.0) as failed:
            failed.add_event("exception", {"exception.type": "TimeoutError"}, story.now)
            failed.set_status(Status(StatusCode.ERROR, "the order service did not answer"))
        with story.span("execute_tool lookup_order", tool("call-2"), 0.14):
            pass
        llm(story, "claude-sonnet-4-5", 530, 121, "stop", 2.27)
    return f"{root.get_span_context().trace_id:032x}", 5


def tool(call):
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup_order", "gen_ai.tool.call.id": call}


def llm(story, model, input_tokens, output_tokens, reason, seconds):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": output_tokens,
        "gen_ai.response.finish_reasons": [reason],
    }
    with story.span(f"chat {model}", attributes, seconds, SpanKind.CLIENT):
        pass


def web_request(tracer):
    """A web request with a query to a database."""
    story = Story(tracer, seconds=1)
    attributes = {"http.request.method": "POST", "http.route": "/orders/{id}", "http.response.status_code": 201}
    with story.span("POST /orders/{id}", attributes, 0.0031, SpanKind.SERVER) as root:
        query = {"db.system.name": "postgresql", "db.query.text": "INSERT INTO orders VALUES ($1, $2)"}
        with story.span("INSERT orders", query, 0.0124, SpanKind.CLIENT):
            pass
        root.add_event("order placed", {"order.items": 3}, story.now)
    return f"{root.get_span_context().trace_id:032x}", 2


def wait_for(sent):
    """The spans of the sent traces, as soon as the archive has all of them."""
    pause, end = threading.Event(), time.monotonic() + DEADLINE
    while True:
        spans = [span for span in archived() if span["traceId"] in sent]
        if len(spans) >= sum(sent.values()):
            return spans
        if time.monotonic() > end:
            sys.exit(
                f"{len(spans)} of {sum(sent.values())} spans in {ARCHIVE} after {DEADLINE:.0f} s; "
                "does Weir run in this folder, with this collector.yaml?"
            )
        pause.wait(0.2)


def archived():
    """All spans in the archive, each with its service and its file."""
    for path in sorted(ARCHIVE.rglob("*.jsonl.zst")):
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(
            file, read_across_frames=True
        ) as lines:
            for line in lines.read().splitlines():
                yield from spans_of(json.loads(line), path)


def spans_of(message, path):
    for group in message["resourceSpans"]:
        service = attributes_of(group.get("resource", {})).get("service.name", "?")
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                yield {**span, "service": service, "file": path}


def attributes_of(part):
    return {pair["key"]: value_of(pair.get("value", {})) for pair in part.get("attributes", [])}


def value_of(value):
    (kind, content), *_ = value.items() or [("stringValue", "")]
    if kind == "arrayValue":
        return [value_of(member) for member in content.get("values", [])]
    return base64.b64decode(content) if kind == "bytesValue" else content


def show(trace_id, spans):
    """Prints one trace as a tree."""
    print(f"trace {trace_id}, service {spans[0]['service']}, in {spans[0]['file']}")
    children = {}
    for span in sorted(spans, key=lambda span: int(span["startTimeUnixNano"])):
        children.setdefault(span.get("parentSpanId", ""), []).append(span)

    def branch(parent, indent):
        for span in children.get(parent, []):
            print(describe(span, indent))
            branch(span["spanId"], indent + "   ")

    branch("", "   ")


def describe(span, indent):
    milliseconds = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6
    attributes = attributes_of(span)
    shown = ", ".join(f"{key.rsplit('.', 1)[-1]} {attributes[key]}" for key in SHOWN if key in attributes)
    status = span.get("status", {})
    error = f"  ERROR: {status.get('message', '')}" if status.get("code") == 2 else ""
    return f"{indent + span['name']:<44} {milliseconds:9.1f} ms  {shown}{error}".rstrip()


if __name__ == "__main__":
    main()
