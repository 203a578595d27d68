"""The hot tables from outside: what was sent is what SQL and `weir query` find, in PostgreSQL and in SQLite."""

import base64
import datetime
import json
import time

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tables
from otlp import a_body, a_span, attribute, text
from test_sdk import EVERYTHING, make_spans
from waiting import eventually
from weir import command, postgres, sqlite
from wire import post

DAY = 86_400 * 10**9
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-11-20",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 34,
    "gen_ai.conversation.id": "conversation ü",
    "session.id": "session 🙂",
    "user.id": "user-1",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"größer \\"als\\"\\n"}]}]',
}


@pytest.fixture
def hot(start, database, tmp_path):
    """Starts a program with both stores, whose keys may be more; the stores stay when it is started again."""

    def begin(**further):
        exporters = {"postgres": postgres(database, **further), "sqlite": sqlite(tmp_path / "hot", **further)}
        return start(exporters=exporters, journal={"directory": str(tmp_path / "journal")})

    begin.database, begin.directory = database, tmp_path / "hot"
    begin.rows = lambda: (by_span(tables.postgres_spans(database)), by_span(tables.sqlite_spans(tmp_path / "hot")))
    return begin


def by_span(rows):
    found = {(row["trace_id"], row["span_id"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def record(endpoint):
    """Sends spans with everything that the SDK can put into one, and returns them as the SDK sees them."""
    kept = InMemorySpanExporter()
    resource = Resource.create({"service.name": "orders", **EVERYTHING}, schema_url="https://schema.test/resource")
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"http://{endpoint}/v1/traces")))
    make_spans(provider)
    with provider.get_tracer("calls").start_as_current_span("chat gpt-4o", attributes=CALL) as call:
        call.add_event("gen_ai.choice", {"index": 0, "text": "日本語\u0000"})
    assert provider.force_flush(10_000)
    provider.shutdown()
    return kept.get_finished_spans()


def as_row(span):
    """What the row of the SDK's span has to be, but for what only the program knows."""
    scope, attributes = span.instrumentation_scope, span.attributes
    parent = span.parent.span_id if span.parent else None
    return {
        "trace_id": f"{span.context.trace_id:032x}",
        "span_id": span.context.span_id,
        "parent_span_id": parent and signed(parent),
        "tenant": "default",
        "start_time": span.start_time // 1000,
        "start_ns": span.start_time,
        "duration_ns": span.end_time - span.start_time,
        # That it is known whether the parent is remote, and whether it is; the SDK sends no flags of the trace.
        "flags": 0x100 | 0x200 * bool(span.parent and span.parent.is_remote),
        "kind": span.kind.value + 1,
        "status": {"UNSET": 0, "OK": 1, "ERROR": 2}[span.status.status_code.name],
        "status_message": span.status.description,
        "trace_state": span.context.trace_state.to_header() or None,
        "clock_suspect": False,
        "service": "orders",
        "name": span.name,
        "operation": 1 if "gen_ai.operation.name" in attributes else 0,
        "session_id": attributes.get("session.id"),
        "conversation_id": attributes.get("gen_ai.conversation.id"),
        "user_id": attributes.get("user.id"),
        "call_id": None,
        "attributes": plain(attributes),
        "events": [event(each) for each in span.events] or None,
        "links": [link(each) for each in span.links] or None,
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "resource": plain(span.resource.attributes),
        "resource_schema": span.resource.schema_url,
        "scope": scope.name,
        "scope_version": scope.version or "",
        "scope_attributes": plain(scope.attributes or {}),
        "scope_schema": scope.schema_url or "",
    }


def event(sent):
    return present(
        {
            "time_unix_nano": sent.timestamp,
            "name": sent.name,
            "attributes": plain(sent.attributes),
            "dropped_attributes_count": sent.dropped_attributes,
        }
    )


def link(sent):
    context = sent.context
    return present(
        {
            "trace_id": f"{context.trace_id:032x}",
            "span_id": f"{context.span_id:016x}",
            "flags": 0x100 | 0x200 * context.is_remote,
            "attributes": plain(sent.attributes),
            "dropped_attributes_count": sent.attributes.dropped,
        }
    )


def present(fields):
    return {key: value for key, value in fields.items() if value not in ({}, 0, None)}


def plain(attributes):
    """Attributes as JSON has them: bytes in base64; no database takes U+0000 in a text."""

    def one(value):
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, (list, tuple)):
            return [one(member) for member in value]
        if isinstance(value, dict):
            return plain(value)
        return value.replace("\u0000", "\ufffd") if isinstance(value, str) else value

    return {key: one(value) for key, value in attributes.items()}


def signed(number):
    return number - (number >> 63 << 64)


def comparable(row):
    """A row without what only the program knows."""
    row = dict(row)
    dropped = tuple(row.pop(name) or 0 for name in ("dropped_attributes", "dropped_events", "dropped_links"))
    for name in ("journal", "sequence"):
        row.pop(name)
    return {**row, "dropped": dropped}


def test_every_field_that_the_sdk_sent_is_in_both_stores(hot):
    weir = hot()
    sent = {(row["trace_id"], row["span_id"]): row for row in map(as_row, record(weir.endpoint))}
    weir.drain()
    weir.stop()
    in_postgres, in_sqlite = hot.rows()
    assert in_postgres == in_sqlite
    assert {key: comparable(row) for key, row in in_postgres.items()} == sent


def test_a_call_of_a_model_is_usage_in_both_stores(hot):
    weir = hot()
    record(weir.endpoint)
    weir.drain()
    weir.stop()
    expected = [
        ("openai", "gpt-4o", "gpt-4o-2024-11-20", "chatcmpl-1", 1200, 34, "session 🙂", "conversation ü", "user-1")
    ]
    columns = """SELECT provider, request_model, model, response_id, input_tokens, output_tokens, session_id,
        conversation_id, user_id FROM llm_usage"""
    assert hot.database.sql(columns) == expected
    assert tables.sqlite_rows(hot.directory, columns) == expected
    assert hot.database.sql("SELECT total_cost FROM llm_usage") == [(None,)]


def query(weir, exporter, *arguments):
    """The objects that `weir query` prints."""
    options = ["--format", "json", "--exporter", exporter, "--config", str(weir.config)]
    ran = command("query", *arguments, *options, cwd=weir.directory)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]


def as_found(row):
    """What `weir query` has to print of a row, but for what only the program knows."""
    names = ["trace_id", "duration_ns", "service", "name", "status_message", "clock_suspect", "session_id"]
    names += ["conversation_id", "user_id", "call_id"]
    parent = row["parent_span_id"]
    return {
        **{name: row[name] for name in names},
        "span_id": f"{row['span_id']:016x}",
        "parent_span_id": parent and f"{parent & (1 << 64) - 1:016x}",
        "kind": KINDS[row["kind"]],
        "status": ["unset", "ok", "error"][row["status"]],
        "operation": ["other", "llm"][row["operation"]],
    }


def as_shown(row):
    """Likewise of a span in its trace."""
    dropped = [count or None for count in row["dropped"]]
    return {
        **as_found(row),
        **{name: row[name] for name in ("trace_state", "flags", "attributes", "events", "links")},
        **dict(zip(("dropped_attributes", "dropped_events", "dropped_links"), dropped, strict=True)),
        "resource": {"attributes": row["resource"], "schema_url": row["resource_schema"]},
        "scope": {
            "name": row["scope"],
            "version": row["scope_version"],
            "attributes": row["scope_attributes"],
            "schema_url": row["scope_schema"],
        },
        "call": as_call(row) if row["operation"] else None,
    }


def as_call(row):
    """Nobody works out here what it costs."""
    said = row["attributes"]
    tokens = {f"{name}_tokens": said.get(f"gen_ai.usage.{name}_tokens") for name in ("input", "output")}
    return {"model": said.get("gen_ai.response.model", said.get("gen_ai.request.model")), **tokens, "total_cost": None}


@pytest.mark.parametrize("exporter", ["postgres", "sqlite"])
def test_every_field_that_the_sdk_sent_is_what_queries_print(hot, exporter):
    weir = hot()
    sent = {f"{row['span_id']:016x}": row for row in map(as_row, record(weir.endpoint))}
    weir.drain()
    found = query(weir, exporter, "search", "--since", "1h")
    for span in found:
        row = sent[span["span_id"]]
        assert nanoseconds(span.pop("start_time")) == row["start_ns"] and span.pop("cursor")
        assert span == as_found(row)
    assert len(found) == len(sent)
    assert [span["name"] for span in query(weir, exporter, "search", "--status", "error")] == ["failing"]
    shown = []
    for trace in {row["trace_id"] for row in sent.values()}:
        shown += query(weir, exporter, "trace", trace)
    for span in shown:
        row = sent[span["span_id"]]
        assert nanoseconds(span.pop("start_time")) == row["start_ns"]
        assert span == as_shown(row)
    assert len(shown) == len(sent)


def nanoseconds(text):
    """Of a time with up to nine decimals."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return int(seconds) * 10**9 + int(rest.ljust(9, "0"))


NESTED = {"deep": {"list": [1, [2.5, {"x": None}], "ü\u0000"], "flag": True}, "": "empty key", "big": -(2**63)}


def test_values_that_databases_do_not_like_are_stored_all_the_same(hot):
    weir = hot()
    now = time.time_ns()
    spans = {
        "nested": dict(attributes=[attribute(key, value) for key, value in NESTED.items()]),
        "n" * 7000: {},
        "no number": dict(attributes=[attribute("nan", float("nan")), attribute("inf", float("-inf"))]),
        "nul \u0000": dict(attributes=[text("key \u0000", "value \u0000")]),
        "long id": dict(attributes=[text("session.id", "s" * 10_000), text("user.id", "ü" * 300)]),
        "of 1970": dict(start_time_unix_nano=1, end_time_unix_nano=2),
        "of 2099": dict(start_time_unix_nano=4_070_908_800 * 10**9, end_time_unix_nano=4_070_908_801 * 10**9),
        "ends first": dict(start_time_unix_nano=now, end_time_unix_nano=now - 1),
        "has no end": dict(start_time_unix_nano=now, end_time_unix_nano=0),
        "last of all": dict(start_time_unix_nano=2**64 - 1, end_time_unix_nano=2**64 - 1),
    }
    base = dict(start_time_unix_nano=now, end_time_unix_nano=now + 1000)
    sent = [a_span(name=name, **{**base, **fields}) for name, fields in spans.items()]
    assert post(weir.endpoint, a_body(*sent)).rejected() == 0
    weir.drain()
    weir.stop()
    in_postgres, in_sqlite = hot.rows()
    assert in_postgres == in_sqlite
    rows = {row["name"]: row for row in in_postgres.values()}
    assert len(rows) == len(spans)
    assert rows["nested"]["attributes"] == plain(NESTED)
    assert rows["n" * 512]["clock_suspect"] is False
    assert rows["no number"]["attributes"].keys() == {"nan", "inf"}
    assert rows["nul \ufffd"]["attributes"] == {"key \ufffd": "value \ufffd"}
    assert rows["long id"]["session_id"] == "s" * 256 and len(rows["long id"]["attributes"]["session.id"]) == 10_000
    assert rows["long id"]["user_id"] == "ü" * 128
    today = now // DAY
    for name, day in [("of 1970", today - 30), ("of 2099", today + 1), ("last of all", today + 1)]:
        assert rows[name]["clock_suspect"] and rows[name]["start_time"] * 1000 // DAY == day
        assert rows[name]["start_ns"] == signed(int(in_sent(sent, name)))
    assert rows["ends first"]["clock_suspect"] and rows["ends first"]["duration_ns"] == -1
    assert rows["has no end"]["duration_ns"] is None
    assert not hot.database.sql("SELECT * FROM rejects")


def in_sent(sent, name):
    return next(span.start_time_unix_nano for span in sent if span.name == name)


def test_a_span_lies_in_the_day_of_its_start(hot):
    weir = hot()
    midnight = time.time_ns() // DAY * DAY
    starts = [midnight + days * DAY + more for days in (-30, -2, 0, 1) for more in (0, 1000, DAY - 1000)]
    spans = [a_span(start_time_unix_nano=start, end_time_unix_nano=start) for start in starts]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.drain()
    weir.stop()
    expected = sorted((start, date(start)) for start in starts)
    assert sorted(hot.database.sql("SELECT start_ns, right(tableoid::regclass::text, 8) FROM spans")) == expected
    found = [
        (start, path.stem[-8:])
        for path in tables.day_files(hot.directory)
        for (start,) in tables.day_rows(path, "SELECT start_ns FROM spans")
    ]
    assert sorted(found) == expected


def date(nanoseconds):
    return f"{datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.UTC):%Y%m%d}"


def test_days_beyond_the_retention_go_as_a_whole_and_the_others_stay(hot):
    weir = hot()
    midnight = time.time_ns() // DAY * DAY
    # A retention of two days keeps the days of which some hour is not yet two days old.
    starts = [midnight - days * DAY for days in (20, 4, 3, 2, 1, 0)]
    spans = [a_span(start_time_unix_nano=start, end_time_unix_nano=start) for start in starts]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.drain()
    weir.stop()
    everything, kept = sorted(map(date, starts)), sorted(map(date, starts[3:]))
    assert days(hot) == (everything, everything)
    weir = hot(retention="48h")
    eventually(lambda: days(hot) == (kept, kept), lambda: f"{days(hot)} instead of {kept}:\n{weir.log()}", 30)


def days(hot):
    """The days of which there are spans, in PostgreSQL and in SQLite."""
    in_postgres = hot.database.sql("SELECT DISTINCT right(tableoid::regclass::text, 8) FROM spans ORDER BY 1")
    return [row[0] for row in in_postgres], [path.stem[-8:] for path in tables.day_files(hot.directory)]
