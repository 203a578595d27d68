"""What an archive holds, read the way a user of the files would."""

import base64
import gzip
import io
import json
import pathlib
import re
import struct
from dataclasses import dataclass

import pyarrow.parquet
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

# Rows that are not spans.
FURTHER = {"llm_usage", "telemetry_events", "span_rollup_daily"}
PUBLISHED = re.compile(r".*\.((jsonl|otlp)(\.gz|\.zst)?|parquet)")


@dataclass
class Archived:
    """A span with everything that it shares with others."""

    resource: Resource
    resource_schema: str
    scope: InstrumentationScope
    scope_schema: str
    span: Span

    def key(self):
        """Bytes that are equal for equal spans; unknown fields count."""
        parts = (
            self.resource.SerializeToString(deterministic=True),
            self.resource_schema,
            self.scope.SerializeToString(deterministic=True),
            self.scope_schema,
            self.span.SerializeToString(deterministic=True),
        )
        return repr(parts)


def files(directory):
    """The published files that hold messages, in order of their names."""
    return [path for path in published(directory) if path.suffix != ".parquet"]


def rows(directory):
    """The published Parquet files of spans."""
    return [path for path in published(directory) if path.suffix == ".parquet" and not FURTHER & set(path.parts)]


def published(directory):
    return sorted(path for path in pathlib.Path(directory).rglob("*") if PUBLISHED.fullmatch(path.name))


def content(path):
    """The file's content without its compression; fails when the file is cut off."""
    data = pathlib.Path(path).read_bytes()
    if path.name.endswith(".gz"):
        return gzip.decompress(data)
    if path.name.endswith(".zst"):
        return whole_zstd(data)
    return data


def whole_zstd(data):
    """Decompresses all frames of `data`; unlike the library's stream reader it fails when the last one is cut off."""
    out, decompressor = b"", None
    while data:
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        out += decompressor.decompress(data)
        assert decompressor.eof, "a zstd frame is cut off"
        data = decompressor.unused_data
    return out


def messages(path):
    """The messages of one file."""
    data = content(path)
    if ".jsonl" in path.name:
        assert data.endswith(b"\n"), f"{path}: the last line has no end"
        return [from_json(json.loads(line)) for line in data.split(b"\n")[:-1]]
    return [TracesData.FromString(message) for message in framed(data)]


def framed(data):
    """Splits messages that each have their length, four bytes big-endian, before them."""
    stream, out = io.BytesIO(data), []
    while head := stream.read(4):
        (length,) = struct.unpack(">I", head)
        message = stream.read(length)
        assert len(message) == length, "a message is cut off"
        out.append(message)
    return out


def spans(directory):
    """Those of Parquet files with their ids only; what else is in their rows, `parquets.py` reads."""
    tables = [pyarrow.parquet.read_table(path, columns=["span_id"], partitioning=None) for path in rows(directory)]
    ids = [bytes.fromhex(value) for table in tables for value in table["span_id"].to_pylist()]
    return [Archived(None, "", None, "", Span(span_id=value)) for value in ids] + [span for path in files(directory) for message in messages(path) for span in flat(message)]


def flat(message):
    """The spans of a TracesData or of an export request."""
    return [
        Archived(r.resource, r.schema_url, s.scope, s.schema_url, span)
        for r in message.resource_spans
        for s in r.scope_spans
        for span in s.spans
    ]


IDS = {"traceId", "spanId", "parentSpanId"}
INT64 = {"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue"}


def from_json(value, strict=True):
    """OTLP/JSON as TracesData. With `strict` it also fails on what the encoding forbids and protobuf allows."""
    return json_format.ParseDict(_proto3(value, strict), TracesData())


def _proto3(value, strict, key=""):
    if isinstance(value, dict):
        if strict:
            assert not [name for name in value if "_" in name], f"not lowerCamelCase: {list(value)}"
        return {name: _proto3(member, strict, name) for name, member in value.items()}
    if isinstance(value, list):
        return [_proto3(member, strict, key) for member in value]
    if key in IDS and isinstance(value, str):
        assert not strict or re.fullmatch(r"[0-9a-f]*", value), f"{key}: not lower-case hex: {value!r}"
        return base64.b64encode(bytes.fromhex(value)).decode()
    if strict and key in INT64:
        assert isinstance(value, str), f"{key}: a 64-bit integer that is no string: {value!r}"
    if strict and key in {"kind", "code"}:
        assert isinstance(value, int), f"{key}: an enum that is no number: {value!r}"
    return value
