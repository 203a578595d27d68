"""The archive as Parquet, read by DuckDB and PyArrow without any option, row for row what was sent."""

import hashlib
import json
import re
import time

import duckdb
import pyarrow.dataset
import pyarrow.parquet
import pytest

import archives
import parquets
from faults import killed
from otlp import WHEN, a_body, a_request, a_span, attribute, text
from test_codec import random_value
from weir import ROOT, archive, command, configuration
from wire import post

COMPRESSIONS = ["none", "gzip", "zstd"]


def now():
    return time.time_ns()


def the_archive(**keys):
    return {"archive": archive("archive", "parquet", keys.pop("compression", "zstd"), **{"max_file_age": "1h", **keys})}


def both(weir, dataset="spans"):
    """The rows, on which the engines agree."""
    rows = parquets.by_duckdb(weir.archive, dataset)
    assert parquets.columns(rows) == parquets.columns(parquets.by_pyarrow(weir.archive, dataset))
    return rows


def a_random_span(rng, number):
    """One in which any of the columns may be empty."""

    def maybe(value, other):
        return value if rng.random() < 0.5 else other

    start = now() - rng.randrange(10**12)
    keys = rng.sample(["a", "größe", "user.id", "session.id", "http.route", "k" * 300], rng.randrange(6))
    span = a_span(
        name=maybe(f"name {number % 7}", rng.choice(["", "日本語", "x" * 5000])),
        kind=rng.randrange(6),
        start_time_unix_nano=start,
        end_time_unix_nano=maybe(start + rng.randrange(10**10), 0),
        trace_state=maybe("a=b", ""),
        attributes=[attribute(key, random_value(rng)) for key in keys],
    )
    if rng.random() < 0.5:
        span.parent_span_id = rng.randbytes(8)
    if rng.random() < 0.3:
        span.status.code, span.status.message = rng.randrange(3), maybe("it failed", "")
    for _ in range(rng.randrange(3)):
        span.events.add(name="event", time_unix_nano=start, attributes=[attribute("e", random_value(rng))])
        span.links.add(trace_id=rng.randbytes(16), span_id=rng.randbytes(8))
    return span


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_rows_are_what_was_sent(start, dice, compression):
    weir = start(exporters=the_archive(compression=compression))
    requests = [a_request(*[a_random_span(dice, number) for number in range(100)]) for _ in range(5)]
    for message in requests:
        message.resource_spans[0].resource.attributes.append(attribute("more", random_value(dice)))
        assert post(weir.endpoint, message.SerializeToString()).rejected() == 0
    weir.stop()
    rows = {row["span_id"]: row for row in both(weir)}
    sent = [archived for message in requests for archived in archives.flat(message)]
    assert len(rows) == len(sent) == 500
    for archived in sent:
        row = rows[archived.span.span_id.hex()]
        wanted = parquets.expected(archived)
        assert {key: row[key] for key in wanted} == wanted
        assert row["start_time"] == archived.span.start_time_unix_nano // 1000
        assert row["clock_suspect"] is False
        assert json.loads(row["attrs"]) == parquets.attributes(archived.span.attributes)
        assert json.loads(row["resource"]) == parquets.attributes(archived.resource.attributes)
        events = json.loads(row["events"] or "[]")
        assert [event["name"] for event in events] == [event.name for event in archived.span.events]
        links = json.loads(row["links"] or "[]")
        assert [link["span_id"] for link in links] == [link.span_id.hex() for link in archived.span.links]


@pytest.mark.parametrize("pattern", ["0", "1", "01", "0001", "1" * 9 + "0" * 9, "0" * 700 + "1" * 700])
def test_every_pattern_of_missing_values_is_read(start, pattern):
    weir = start(exporters=the_archive())
    spans = []
    for number in range(1500):
        here = pattern[number % len(pattern)] == "1"
        span = a_span(end_time_unix_nano=WHEN + number if here else 0)
        if here:
            span.attributes.extend([text("user.id", f"u{number}"), attribute("http.response.status_code", number)])
            span.attributes.append(text("session.id", f"s{number % 3}"))
        spans.append(span)
    assert post(weir.endpoint, a_body(*spans)).status == 200
    weir.stop()
    for number, row in enumerate(both(weir)):
        found = row["user_id"], row["session_id"], row["http_status"], row["duration_ns"]
        here = pattern[number % len(pattern)] == "1"
        assert found == ((f"u{number}", f"s{number % 3}", number, number) if here else (None,) * 4)


@pytest.mark.parametrize("count", [1, 2, 150_000])
def test_few_rows_and_many_are_read(start, count):
    weir = start(exporters=the_archive())
    for first in range(0, count, 10_000):
        spans = [a_span(name=f"{number}") for number in range(first, min(first + 10_000, count))]
        assert post(weir.endpoint, a_body(*spans)).status == 200
    weir.stop()
    (found,) = duckdb.sql(f"""
        SELECT count(*), count(DISTINCT span_id), count(DISTINCT name), min(name::INT), max(name::INT)
        FROM '{weir.archive}/spans/*/*/*/*.parquet'""").fetchall()
    assert found == (count, count, count, 0, count - 1)
    tables = [pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) for path in files(weir)]
    assert sum(table.read().num_rows for table in tables) == count
    if count > 122_880:
        assert max(table.num_row_groups for table in tables) > 1


def test_a_file_without_rows_is_read(start):
    weir = start(exporters=the_archive(max_file_age="1s"))
    names = {"user.id": "maria", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    span = a_span(attributes=[text(key, value) for key, value in names.items()])
    assert post(weir.endpoint, a_body(span)).status == 200
    weir.drain()
    command("erase", "--config", str(weir.config), "--tenant", "default", "--subject", "user.id=maria",
            cwd=weir.directory, deadline=60)
    weir.stop()
    for dataset in ("spans", "llm_usage"):
        (path,) = files(weir, dataset)
        assert pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read().num_rows == 0
        assert both(weir, dataset) == []


def files(weir, dataset="spans"):
    return sorted((weir.archive / dataset).rglob("*.parquet"))


def test_values_of_ten_megabytes_are_read(start):
    weir = start(exporters=the_archive())
    values = {number: f"{number}" * 10_000_000 for number in range(5)}
    for number, value in values.items():
        assert post(weir.endpoint, a_body(a_span(attributes=[text("k", value)]), a_span())).status == 200
    weir.stop()
    rows = both(weir)
    assert [json.loads(row["attrs"]).get("k") for row in rows] == [
        value for number in range(5) for value in (values[number], None)
    ]


def test_what_stands_in_every_row_costs_its_size_once(start):
    # Two resources, larger together than other dictionaries may be, of a thousand spans each: in each row some GiB.
    weir = start(exporters=the_archive(max_file_age="1s"))
    for letter in "ab":
        request = a_request(*[a_span(name=f"{number}") for number in range(1000)], service=letter * (1 << 20))
        request.resource_spans[0].resource.attributes.append(text("notes", letter * (3 << 20)))
        assert post(weir.endpoint, request.SerializeToString()).status == 200
    weir.drain()
    assert weir.memory_peak() < 600 << 20, f"{weir.memory_peak() >> 20} MiB"
    weir.stop()
    found = duckdb.sql(f"""
        SELECT service[1], length(service), length(resource) > 3 << 20, count(*), count(DISTINCT name)
        FROM '{weir.archive}/spans/*/*/*/*.parquet' GROUP BY 1, 2, 3 ORDER BY 1""").fetchall()
    assert found == [(letter, 1 << 20, True, 1000, 1000) for letter in "ab"]
    # The sums have the beginning of each.
    found = duckdb.sql(f"SELECT DISTINCT service FROM '{weir.archive}/span_rollup_daily/*/*/*/*.parquet' ORDER BY 1").fetchall()
    assert found == [(letter * 256,) for letter in "ab"]


def test_other_tables_get_their_names_when_that_of_the_spans_is_safe(start, faults):
    # A power cut may take a name that is not safe, and the rows of the others would be there twice.
    weir = start(exporters=the_archive(max_file_age="1s"), env=faults.at("fsync", "hour=", "before"))
    call = a_span(attributes=[text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "m")])
    assert post(weir.endpoint, a_body(call)).status == 200
    killed(weir)
    named = [path.relative_to(weir.archive).parts[0] for path in weir.archive.rglob("*.parquet")]
    assert [tree for tree in named if tree != ".open"] == ["spans"]


def test_a_wrong_clock_is_marked_and_kept_exactly(start):
    weir = start(exporters=the_archive())
    times = [0, 1, now() - 40 * 86_400 * 10**9, now(), now() + 3 * 86_400 * 10**9, 2**63 - 1, 2**63]
    spans = [a_span(start_time_unix_nano=time, end_time_unix_nano=time + 5) for time in times]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.stop()
    rows = both(weir)
    exact = {row["span_id"]: row["start_unix_nano"] % 2**64 for row in rows}
    assert exact == {span.span_id.hex(): span.start_time_unix_nano for span in spans}
    assert sum(row["clock_suspect"] for row in rows) == 6
    days = {row["date"] for row in rows}
    assert len(days) == 3 and (max(days) - min(days)).days == 31


def test_what_calls_of_models_used_stands_beside_the_spans(start):
    weir = start(exporters=the_archive())
    calls = [
        a_span(
            start_time_unix_nano=now(),
            attributes=[
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.provider.name", "openai"),
                text("gen_ai.request.model", "gpt-4o-mini"),
                attribute("gen_ai.usage.input_tokens", 100 + number),
                attribute("gen_ai.usage.output_tokens", number),
                attribute("gen_ai.usage.cost", 0.000001 * (number + 1)),
                text("user.id", f"user {number % 3}"),
            ],
        )
        for number in range(50)
    ]
    assert post(weir.endpoint, a_body(*calls, *[a_span() for _ in range(20)])).status == 200
    weir.stop()
    usage, spans = both(weir, "llm_usage"), both(weir)
    assert len(usage) == 50 and len(spans) == 70
    assert sum(row["input_tokens"] for row in usage) == sum(100 + number for number in range(50))
    assert sum(row["total_cost"] for row in usage) * 1_000_000 == sum(range(1, 51))
    assert {(row["operation"], row["provider"], row["request_model"]) for row in usage} == {
        ("llm", "openai", "gpt-4o-mini")
    }
    keys = {"input_tokens": "gen_ai_input_tokens", "total_cost": "total_cost", "user_id": "user_id", "seq": "seq"}
    spans = {row["span_id"]: row for row in spans}
    for row in usage:
        assert all(row[key] == spans[row["span_id"]][other] for key, other in keys.items())


def test_filters_and_bounds_let_readers_skip(start):
    weir = start(exporters=the_archive())
    sessions = [text("session.id", f"session {number}") for number in range(300)]
    spans = [a_span(attributes=[sessions[number % 300]]) for number in range(3000)]
    assert post(weir.endpoint, a_body(*spans)).status == 200
    weir.stop()
    (path,) = files(weir)

    def excludes(column, value):
        query = f"SELECT bloom_filter_excludes FROM parquet_bloom_probe('{path}', '{column}', '{value}')"
        return [row[0] for row in duckdb.sql(query).fetchall()]

    assert not any(excludes("trace_id", span.trace_id.hex())[0] for span in spans[:500])
    assert not any(excludes("session_id", f"session {number}")[0] for number in range(300))
    missed = [excludes("trace_id", number.to_bytes(16, "big").hex())[0] for number in range(500)]
    assert sum(missed) > 480
    metadata = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    chunks = {metadata.column(index).path_in_schema: metadata.column(index) for index in range(metadata.num_columns)}
    assert chunks["seq"].statistics.min == 1 and chunks["seq"].statistics.null_count == 0
    assert chunks["service"].statistics.max == "shop"
    assert not chunks["attrs"].statistics.has_min_max
    encodings = {name: chunk.encodings for name, chunk in chunks.items()}
    assert "RLE_DICTIONARY" in encodings["service"] and "DELTA_BINARY_PACKED" in encodings["start_time"]
    assert "RLE_DICTIONARY" in encodings["attrs"] and encodings["span_id"] == ("DELTA_LENGTH_BYTE_ARRAY",)


@pytest.mark.parametrize("format", ["parquet", "otlp_proto", "otlp_json"])
def test_manifests_say_what_is_there(start, tmp_path, format):
    folder = tmp_path / "shared"
    for life in range(3):
        weir = start(
            exporters={"archive": archive(folder, format, "zstd", max_file_age="1h")},
            journal={"directory": str(tmp_path / "journal")},
        )
        spans = [a_span(start_time_unix_nano=now() - hour * 3600 * 10**9) for hour in range(3) for _ in range(life + 1)]
        assert post(weir.endpoint, a_body(*spans)).status == 200
        weir.stop()
    found = parquets.manifests(folder)
    assert [manifest["number"] for manifest, _ in found] == list(range(1, 10))
    previous = [None, *[hashlib.sha256(text).hexdigest() for _, text in found[:-1]]]
    assert [manifest["previous"] for manifest, _ in found] == previous
    paths = set()
    for manifest, _ in found:
        for file in manifest["files"]:
            data = (folder / file["path"]).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
            paths.add(folder / file["path"])
    assert paths == {path for path in folder.rglob("20*Z-*.*") if path.is_file()}
    assert sum(manifest["spans"] for manifest, _ in found) == 18


def queries(page):
    """The SQL in the code blocks of a page of the documentation."""
    blocks = re.findall(r"(?:^    .*\n)+", (ROOT / page).read_text(), re.MULTILINE)
    return [block for block in map(str.strip, blocks) if block.startswith(("SELECT", "WITH")) and ".parquet'" in block]


def test_the_documented_queries_run(start, monkeypatch):
    weir = start(exporters={"archive": archive("data/archive", "parquet", "zstd")})
    calls = [text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "m")]
    trace_id = bytes.fromhex("5b8efff798038103d269b633813fc60c")
    span = a_span(start_time_unix_nano=now(), trace_id=trace_id, attributes=calls)
    assert post(weir.endpoint, a_body(span)).status == 200
    weir.stop()
    monkeypatch.chdir(weir.directory)
    found = [*queries("docs/parquet.md"), *queries("README.md")]
    assert len(found) == 6
    for query in found:
        assert len(duckdb.sql(query).fetchall()) == 1, query


def test_events_of_web_pages_are_rows_of_their_own(start):
    weir = start(exporters={"archive": archive("archive", "parquet", "zstd")})
    page = {"weir.event.version": 3, "browser.origin": "https://shop.example", "session.id": "s1"}
    event = a_span(name="page.view", start_time_unix_nano=now(), attributes=[attribute(*pair) for pair in page.items()])
    message = a_request(event)
    message.resource_spans[0].scope_spans[0].scope.name = "weir.beacon"
    assert post(weir.endpoint, message.SerializeToString()).rejected() == 0
    assert post(weir.endpoint, a_body(a_span(name="other", start_time_unix_nano=now()))).status == 200
    weir.stop()
    pattern = f"{weir.archive}/telemetry_events/*/*/*/*.parquet"
    found = duckdb.sql(f"SELECT * EXCLUDE (date, hour, seq, event_time), epoch_us(event_time) AS us FROM '{pattern}'")
    [row] = [dict(zip(found.columns, row)) for row in found.fetchall()]
    assert json.loads(row.pop("payload")) == page
    assert row.pop("us") == event.start_time_unix_nano // 1000
    assert row == {
        "start_unix_nano": event.start_time_unix_nano,
        "event_id": event.span_id.hex(),
        "name": "page.view",
        "schema_version": 3,
        "sample_rate": 1,
        "trace_id": event.trace_id.hex(),
        "session_id": "s1",
        "source": "https://shop.example",
        "place": 0,
        "tenant": "default",
    }
    table = pyarrow.dataset.dataset(f"{weir.archive}/telemetry_events", partitioning="hive").to_table()
    table.validate(full=True)
    assert table["event_id"].to_pylist() == [event.span_id.hex()]


def test_the_sums_of_a_day_have_what_sampling_left_out(start):
    text_of = configuration(exporters={"archive": archive("archive", "parquet", "zstd", max_file_age="1h")})
    rules = "rules: [ { name: none, when: 'name == \"left out\"', probability: 0 }, { name: rest, probability: 1 } ]"
    text_of = text_of.replace("exporters:\n", f"processors:\n  sampling: {{ {rules} }}\nexporters:\n", 1)
    text_of = text_of.replace("      exporters: [archive]\n", "      processors: [sampling]\n      exporters: [archive]\n")
    weir = start(text=text_of)
    day, hour = 86_400 * 10**9, 3_600 * 10**9
    midnight = now() // day * day

    def call(number, **keys):
        cost = attribute("gen_ai.usage.cost", 0.25)
        tokens = [attribute("gen_ai.usage.input_tokens", 10), attribute("gen_ai.usage.output_tokens", number)]
        return a_span(attributes=[text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "m"), cost, *tokens], **keys)

    for start_of in (midnight - day, midnight - day + hour, midnight):
        times = {"start_time_unix_nano": start_of, "end_time_unix_nano": start_of + 1000}
        spans = [call(number, name="left out", **times) for number in range(4)] + [call(7, name="kept", **times)]
        assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    # A request of which nothing is kept.
    times = {"start_time_unix_nano": midnight - day + 2 * hour, "end_time_unix_nano": midnight - day + 2 * hour + 1000}
    assert post(weir.endpoint, a_body(*[call(number, name="left out", **times) for number in range(4)])).rejected() == 0
    weir.stop()
    pattern = f"{weir.archive}/span_rollup_daily/*/*/*/*.parquet"
    query = f"""
        SELECT (day AT TIME ZONE 'UTC')::DATE = date, name, service, operation, model, sum(spans), sum(errors),
               sum(duration_ns), sum(input_tokens), sum(output_tokens), sum(total_cost)::DOUBLE, sum(unpriced)
        FROM '{pattern}' GROUP BY 1, 2, 3, 4, 5, date ORDER BY date, name"""
    key = ("shop", "llm", "m")
    assert duckdb.sql(query).fetchall() == [
        (True, "kept", *key, 2, 0, 2000, 20, 14, 0.5, 0),
        (True, "left out", *key, 12, 0, 12_000, 120, 18, 3.0, 0),
        (True, "kept", *key, 1, 0, 1000, 10, 7, 0.25, 0),
        (True, "left out", *key, 4, 0, 4000, 40, 6, 1.0, 0),
    ]
    assert len(both(weir)) == len(both(weir, "llm_usage")) == 3
    table = pyarrow.dataset.dataset(f"{weir.archive}/span_rollup_daily", partitioning="hive").to_table()
    table.validate(full=True)
    assert sum(table["spans"].to_pylist()) == 19
    counts = [json.loads(durations) for durations in table["durations"].to_pylist()]
    assert [sum(count.values()) for count in counts] == table["spans"].to_pylist()
    done = command("archive", "verify", "--directory", str(weir.archive))
    assert done.returncode == 0 and "3 spans" in done.stdout, done
