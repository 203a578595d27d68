"""The rows of a Parquet archive, as its engines read them without any option, and as the spans say they should be."""

import base64
import datetime
import json
import math

import duckdb
import pyarrow.dataset

EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)


def by_duckdb(directory, dataset="spans"):
    """The rows as dictionaries, in the order in which they came."""
    found = duckdb.sql(f"""
        SELECT * REPLACE (epoch_us(start_time) AS start_time) FROM '{directory}/{dataset}/*/*/*/*.parquet'
        ORDER BY seq, span_id""")
    return [dict(zip(found.columns, row)) for row in found.fetchall()]


def by_pyarrow(directory, dataset="spans"):
    table = pyarrow.dataset.dataset(f"{directory}/{dataset}", partitioning="hive").to_table()
    table.validate(full=True)
    rows = table.sort_by([("seq", "ascending"), ("span_id", "ascending")]).to_pylist()
    for row in rows:
        # Microseconds, exact.
        time = row["start_time"]
        row["start_time"] = (time - EPOCH) // MICROSECOND
    return rows


def columns(rows):
    """Without those that the directories give, of which each engine makes types of its own."""
    return [{key: value for key, value in row.items() if key not in ("tenant", "date", "hour")} for row in rows]


def plain(value):
    """An AnyValue as a person would write it in JSON."""
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [plain(member) for member in value.array_value.values]
        case "kvlist_value":
            return attributes(value.kvlist_value.values)
        case "string_value":
            return without_nul(value.string_value)
        case "double_value" if math.isinf(value.double_value):
            # JSON has no number for it.
            return "Infinity" if value.double_value > 0 else "-Infinity"
        case None:
            return None
        case kind:
            return getattr(value, kind)


def attributes(pairs):
    return {without_nul(pair.key): plain(pair.value) for pair in pairs}


def without_nul(text):
    return text.replace("\0", "\ufffd")


def expected(archived):
    """Of an `archives.Archived`, what its row says of the span itself."""
    span = archived.span
    start = span.start_time_unix_nano
    service = attributes(archived.resource.attributes).get("service.name")
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "start_unix_nano": start - (1 << 64) if start >> 63 else start,
        "duration_ns": span.end_time_unix_nano - start if span.end_time_unix_nano else None,
        "service": service if isinstance(service, str) and service else "unknown_service",
        "name": without_nul(span.name),
        "kind": span.kind,
        "status": span.status.code,
        "status_message": without_nul(span.status.message) or None,
        "trace_state": without_nul(span.trace_state) or None,
        "scope_name": without_nul(archived.scope.name),
        "scope_version": without_nul(archived.scope.version),
    }


def manifests(directory):
    """The manifests in the order of their chain, each with the text that its successor has the hash of."""
    found = [(json.loads(path.read_bytes()), path.read_bytes()) for path in directory.rglob("_*.manifest.json")]
    return sorted(found, key=lambda pair: pair[0]["number"])
