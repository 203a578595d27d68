"""The real Python SDK, and requests that it and others made: what they sent is what the archive holds."""

import gzip
import json

import duckdb
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

import archives
from weir import ROOT, archive
from wire import JSON, post

DATA = ROOT / "Tests/SystemTests/data"
EVERYTHING = {
    "a.string": 'text ü\u0000\n"',
    "a.bool": True,
    "an.int": 2**63 - 1,
    "a.negative": -5,
    "a.double": 0.1,
    "strings": ["a", "", "ü"],
    "bools": [True, False],
    "ints": [1, -2],
    "doubles": [1.5, -0.0],
    "empty": [],
    "bytes": b"\x00\xff",
}


def record(endpoint, compression):
    """Makes spans with everything that the SDK can put into one, sends them, and returns them as the SDK sees them."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource.create({"service.name": "orders", **EVERYTHING}, schema_url="https://schema.test/resource"),
        span_limits=SpanLimits(
            max_span_attributes=20, max_events=2, max_links=2, max_event_attributes=3, max_link_attributes=1
        ),
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    exporter = OTLPSpanExporter(endpoint=f"http://{endpoint}/v1/traces", compression=compression, timeout=10)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    make_spans(provider)
    assert provider.force_flush(10_000)
    provider.shutdown()
    return kept.get_finished_spans()


def make_spans(provider):
    tracer = provider.get_tracer(
        "orders.http", "2.0", schema_url="https://schema.test/scope", attributes={"scope.key": "scope value"}
    )
    plain = provider.get_tracer("plain")
    remote = SpanContext(
        0xABCDEF << 64 | 1,
        0xFEDC,
        is_remote=True,
        trace_flags=TraceFlags(1),
        trace_state=TraceState([("vendor", "x:1")]),
    )
    parent = trace.set_span_in_context(NonRecordingSpan(remote))
    links = [Link(remote, {"link.key": 1, "link.dropped": 2}), Link(remote), Link(remote)]
    with tracer.start_as_current_span(
        "POST /orders", context=parent, kind=SpanKind.SERVER, attributes=EVERYTHING, links=links
    ) as span:
        for number in range(4):
            span.add_event(f"event {number}", {"number": number, "b": True, "c": 1.5, "dropped": 1})
        for number in range(20):
            span.set_attribute(f"more.{number}", number)
        for kind in SpanKind:
            with plain.start_as_current_span(f"child {kind.name}", kind=kind) as child:
                child.set_status(Status(StatusCode.OK))
        with tracer.start_as_current_span("failing", set_status_on_exception=True, record_exception=True) as failing:
            failing.record_exception(ValueError("the card was declined"))
            failing.set_status(Status(StatusCode.ERROR, "declined"))
    with plain.start_as_current_span("a trace of its own"):
        pass


def as_sdk_has_it(span):
    """The fields of the SDK's span, in words that `as_archived` uses as well."""
    scope = span.instrumentation_scope
    return {
        "ids": (span.context.trace_id, span.context.span_id, span.parent.span_id if span.parent else 0),
        "state": span.context.trace_state.to_header(),
        "name": span.name,
        "kind": span.kind.name,
        "times": (span.start_time, span.end_time),
        "attributes": values(span.attributes),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "status": (span.status.status_code.name, span.status.description or ""),
        "events": [(e.name, e.timestamp, values(e.attributes), e.dropped_attributes) for e in span.events],
        # The SDK leaves out the trace state of a link.
        "links": [
            (link.context.trace_id, link.context.span_id, "", values(link.attributes), link.attributes.dropped)
            for link in span.links
        ],
        "resource": (values(span.resource.attributes), span.resource.schema_url),
        "scope": (scope.name, scope.version or "", scope.schema_url or "", values(scope.attributes or {})),
        "remote": bool(span.parent and span.parent.is_remote),
    }


def as_archived(archived):
    """The fields of an archived span, in words that `as_sdk_has_it` uses as well."""
    span, scope = archived.span, archived.scope
    number = lambda data: int.from_bytes(data, "big")  # noqa: E731
    return {
        "ids": (number(span.trace_id), number(span.span_id), number(span.parent_span_id)),
        "state": span.trace_state,
        "name": span.name,
        "kind": span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "times": (span.start_time_unix_nano, span.end_time_unix_nano),
        "attributes": read(span.attributes),
        "dropped": (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
        "status": (["UNSET", "OK", "ERROR"][span.status.code], span.status.message),
        "events": [(e.name, e.time_unix_nano, read(e.attributes), e.dropped_attributes_count) for e in span.events],
        "links": [
            (
                number(link.trace_id),
                number(link.span_id),
                link.trace_state,
                read(link.attributes),
                link.dropped_attributes_count,
            )
            for link in span.links
        ],
        "resource": (read(archived.resource.attributes), archived.resource_schema),
        "scope": (scope.name, scope.version, archived.scope_schema, read(scope.attributes)),
        "remote": bool(span.flags & 0x200),
    }


def values(attributes):
    return {key: list(value) if isinstance(value, tuple) else value for key, value in attributes.items()}


def read(attributes):
    def one(value):
        kind = value.WhichOneof("value")
        return [one(member) for member in value.array_value.values] if kind == "array_value" else getattr(value, kind)

    return {pair.key: one(pair.value) for pair in attributes}


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_every_field_that_the_sdk_sent_is_archived(start, compression):
    formats = ("otlp_json", "otlp_proto")
    weir = start(exporters={f"archive/{format}": archive(format, format, "zstd") for format in formats})
    sent = [as_sdk_has_it(span) for span in record(weir.endpoint, compression)]
    assert len(sent) == 8 and sent[-2]["dropped"][0] > 0 and sent[-2]["dropped"][1:] == (2, 1)
    weir.stop()
    for format in formats:
        found = {span["ids"]: span for span in map(as_archived, archives.spans(weir.directory / format))}
        for span in sent:
            assert found.pop(span["ids"]) == span
        assert not found


def test_duckdb_reads_what_the_sdk_sent(start):
    weir = start(exporters={"archive": archive("archive", "otlp_json", "none")})
    sent = record(weir.endpoint, Compression.Gzip)
    weir.stop()
    rows = duckdb.sql(f"""
        SELECT span.traceId, span.spanId, span.name, span.kind, span.startTimeUnixNano, span.status.code
        FROM (SELECT unnest(s.spans) AS span FROM (SELECT unnest(r.scopeSpans) AS s
              FROM (SELECT unnest(resourceSpans) AS r FROM read_json_auto('{weir.archive}/**/*.jsonl'))))""").fetchall()
    found = sorted(
        (str(row[0]).replace("-", ""), str(row[1]), row[2], row[3] or 0, int(row[4]), row[5] or 0) for row in rows
    )
    assert found == sorted(
        (
            f"{s.context.trace_id:032x}",
            f"{s.context.span_id:016x}",
            s.name,
            s.kind.value + 1,
            s.start_time,
            s.status.status_code.value,
        )
        for s in sent
    )


def test_500_spans_of_the_sdk_arrive(weir):
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"http://{weir.endpoint}/v1/traces"), max_queue_size=1000)
    )
    for number in range(500):
        provider.get_tracer("bulk").start_span(f"span {number}").end()
    assert provider.force_flush(10_000)
    provider.shutdown()
    assert {archived.span.name for archived in weir.spans()} == {f"span {number}" for number in range(500)}


@pytest.mark.parametrize(
    "name", ["py-sdk-01.pb", "py-sdk-02.pb.gz", "py-sdk-03.pb", "py-sdk-04.pb.gz", "py-sdk-05.pb.gz"]
)
def test_a_captured_request_comes_out_equal(weir, name):
    body = (DATA / name).read_bytes()
    answer = post(weir.endpoint, body, encoding="gzip" if name.endswith(".gz") else None)
    assert (answer.status, answer.body) == (200, b"")
    sent = ExportTraceServiceRequest.FromString(gzip.decompress(body) if name.endswith(".gz") else body)
    assert sorted(s.key() for s in weir.spans()) == sorted(s.key() for s in archives.flat(sent))


@pytest.mark.parametrize("name", ["py-sdk-01.otlp.json", "genai-trace.json", "proto-example-trace.json"])
def test_a_captured_json_request_comes_out_equal(weir, name):
    body = (DATA / name).read_bytes()
    answer = post(weir.endpoint, body, JSON)
    assert (answer.status, answer.body) == (200, b"{}")
    sent = archives.from_json(json.loads(body), strict=False)
    assert sorted(s.key() for s in weir.spans()) == sorted(s.key() for s in archives.flat(sent))


def test_logs_do_not_pass_for_traces(weir):
    body = (DATA / "proto-example-logs.json").read_bytes()
    answer = post(weir.endpoint, body, JSON)
    # Seen as traces, a request with unknown fields only is an empty one.
    assert answer.status in (200, 400) and weir.spans() == []
