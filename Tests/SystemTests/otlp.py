"""Requests to send: sound ones from the protocol's own classes, broken ones from bytes."""

import itertools
import zlib

import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

# 2026-03-04T05:06:07.123456789Z
WHEN = 1772600767123456789
_numbers = itertools.count(1)


def new_ids():
    """A trace id and a span id that no other span of this run has."""
    number = next(_numbers)
    return b"\xab" * 8 + number.to_bytes(8, "big"), number.to_bytes(8, "big")


def a_span(**fields):
    """A span with the fields that every span has; `fields` come on top."""
    trace_id, span_id = new_ids()
    base = dict(
        trace_id=trace_id,
        span_id=span_id,
        name="GET /orders",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=WHEN,
        end_time_unix_nano=WHEN + 1_500_000,
    )
    return Span(**{**base, **fields})


def a_request(*spans, service="shop"):
    """A request with these spans under one resource and one scope."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.append(text("service.name", service))
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "weir.test", "1.0"
    scope.spans.extend(spans)
    return message


def a_body(*spans, **further):
    return a_request(*(spans or (a_span(),)), **further).SerializeToString()


def text(key, value):
    return KeyValue(key=key, value=AnyValue(string_value=value))


def any_value(value):
    """A Python value as AnyValue."""
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(member) for member in value]))
    if isinstance(value, dict):
        pairs = [KeyValue(key=key, value=any_value(member)) for key, member in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    return AnyValue(string_value=value)


def attribute(key, value):
    return KeyValue(key=key, value=any_value(value))


def sized_body(size):
    """A sound request of exactly `size` bytes."""
    span = a_span()
    span.attributes.append(text("filler", ""))
    # The lengths before the filler grow with it, so the first guess is a few bytes too long.
    for filler in range(size - len(a_body(span)), 0, -1):
        span.attributes[0].value.string_value = "x" * filler
        body = a_body(span)
        if len(body) == size:
            return body
    raise AssertionError(f"no request has {size} bytes")


def span_json(**fields):
    """A span in OTLP/JSON; `fields` come on top, those that are `...` are left out."""
    trace_id, span_id = new_ids()
    base = {
        "traceId": trace_id.hex(),
        "spanId": span_id.hex(),
        "name": "GET /orders",
        "kind": 2,
        "startTimeUnixNano": str(WHEN),
        "endTimeUnixNano": str(WHEN + 1_500_000),
    }
    return {key: value for key, value in {**base, **fields}.items() if value is not ...}


def request_json(*spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    scope = {"name": "weir.test", "version": "1.0"}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": list(spans)}]}]}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def spans_as_bytes(*spans):
    """A request around spans that are already encoded, however badly."""
    return field(1, field(2, b"".join(field(2, span) for span in spans)))


def gzipped(data):
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


COMPRESSIONS = {"gzip": gzipped, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress}


def bomb(encoding, size):
    """Zeros that decompress to `size` bytes, made without holding them."""
    if encoding == "zstd":
        compressor = zstandard.ZstdCompressor().compressobj()
    else:
        compressor = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    block = bytes(1 << 20)
    return b"".join(compressor.compress(block) for _ in range(size >> 20)) + compressor.flush()
