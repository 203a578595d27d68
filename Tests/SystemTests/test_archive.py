"""The files that the archive exporter publishes, as their readers see them."""

import datetime
import json
import re
import subprocess
import threading
import time

import duckdb
import pytest
import pyzstd

import archives
from otlp import a_body, a_request, a_span, text
from waiting import eventually
from weir import archive, command
from wire import Connection, post, request

HOUR = 3600 * 10**9
DAY = 24 * HOUR
# The first of three hours of today that are not late.
FIRST = max(time.time_ns() // HOUR - 3, time.time_ns() // DAY * 24) * HOUR
FORMATS = {"otlp_json": ".jsonl", "otlp_proto": ".otlp"}
COMPRESSIONS = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def a_span_at(nanoseconds, **fields):
    return a_span(start_time_unix_nano=nanoseconds, end_time_unix_nano=nanoseconds + 1000, **fields)


def partition(nanoseconds):
    """By docs/archive.md, of a span that was received now."""
    now = time.time_ns()
    nanoseconds = min(max(nanoseconds, (now // DAY - 30) * DAY), (now // DAY + 2) * DAY - 1)
    if abs(nanoseconds - now) > 6 * HOUR:
        nanoseconds = nanoseconds // DAY * DAY
    moment = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.UTC)
    return f"tenant=default/date={moment:%Y-%m-%d}/hour={moment:%H}"


def folders(root):
    return {str(path.parent.relative_to(root)) for path in archives.files(root)}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", FORMATS)
def test_each_format_and_compression_holds_what_was_sent(start, format, compression):
    weir = start(exporters={"archive": archive("archive", format, compression)})
    sent = [
        a_request(*[a_span(name=f"{batch}.{number}", attributes=[text("k", "v" * number)]) for number in range(20)])
        for batch in range(5)
    ]
    for message in sent:
        assert post(weir.endpoint, message.SerializeToString()).rejected() == 0
    spans = weir.spans()
    assert sorted(s.key() for s in spans) == sorted(s.key() for message in sent for s in archives.flat(message))
    names = [path.name for path in archives.files(weir.archive)]
    assert names and all(name.endswith(FORMATS[format] + COMPRESSIONS[compression]) for name in names)


def test_nothing_but_published_files_is_left_behind(start):
    weir = start()
    assert post(weir.endpoint, a_body()).status == 200
    weir.stop()
    everything = {path for path in weir.archive.rglob("*") if path.is_file()}
    names = [(path, path.name.partition(".")[0]) for path in archives.files(weir.archive)]
    beside = {path.with_name(f"_{name}.{suffix}") for path, name in names for suffix in ("manifest.json", "bloom")}
    chain = set((weir.archive / ".chain").iterdir())
    assert everything == set(archives.files(weir.archive)) | beside | chain and len(chain) == 1


# The edges of days, months, leap years; the first hour there is and the last; what is late, and what is not.
TIMES = [
    0,
    1,
    951782399_999999999,
    1709251199_999999999,
    1709251200_000000000,
    1735689599_999999999,
    1735689600_000000000,
    FIRST,
    FIRST - DAY,
    FIRST - 29 * DAY,
    FIRST + 8 * HOUR,
    4102444800_000000000,
    2**63 - 1,
    2**63,
    2**64 - 2000,
]


def test_a_span_lies_under_the_hour_of_its_own_time(weir):
    spans = [a_span_at(time, name=str(time)) for time in TIMES]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.stop()
    found = {}
    for path in archives.files(weir.archive):
        for message in archives.messages(path):
            for archived in archives.flat(message):
                found[int(archived.span.name)] = str(path.parent.relative_to(weir.archive))
    assert found == {time: partition(time) for time in TIMES}


@pytest.mark.parametrize("format", [*FORMATS, "parquet"])
def test_wrong_clocks_make_few_files_and_hold_nobody_up(start, format, dice):
    weir = start(exporters={"archive": archive("archive", format, max_file_age="1h")})
    for number in range(300):
        wrong = a_span_at(dice.randrange(2**63), name=f"{number}")
        assert post(weir.endpoint, a_body(wrong, a_span_at(time.time_ns()))).status == 200
    sent(weir, 600)
    assert weir.metric("weir_archive_files_published") == 0
    weir.stop()
    most = 8 if format == "parquet" else 4
    assert len(archives.published(weir.archive)) <= most and len(archives.spans(weir.archive)) == 600
    whole = command("archive", "verify", "--config", "collector.yaml", cwd=weir.directory)
    assert whole.returncode == 0, whole


def sent(weir, spans):
    """Waits until the exporter has been given so many spans, so that what follows is another batch."""
    eventually(lambda: weir.metric("weir_archive_spans_written") >= spans, weir.log)


def test_a_file_is_closed_when_it_is_large(start):
    weir = start(exporters={"archive": archive("archive", max_file_size="64KiB", max_file_age="1h")})
    for number in range(200):
        span = a_span(name=f"{number}", attributes=[text("filler", "x" * 4000)])
        assert post(weir.endpoint, a_body(span)).status == 200
        if number % 10 == 9:
            sent(weir, number + 1)
    # 800 KB in batches of 40 KB make a file for each, and all but the last are there before the end.
    eventually(lambda: len(archives.files(weir.archive)) >= 10, lambda: f"{archives.files(weir.archive)}")
    spans = weir.spans()
    assert max(path.stat().st_size for path in archives.files(weir.archive)) <= 64 << 10
    assert sorted(int(archived.span.name) for archived in spans) == list(range(200))


def test_a_file_that_one_request_fills_is_closed_without_waiting_for_another(start):
    weir = start(exporters={"archive": archive("archive", max_file_size="64KiB", max_file_age="1h")})
    assert post(weir.endpoint, a_body(a_span(attributes=[text("filler", "x" * 300_000)]))).status == 200
    eventually(lambda: len(published(weir)) == 1, lambda: f"{list(weir.archive.rglob('*'))}")


def published(weir):
    """The files below the partitions."""
    return [path for path in archives.files(weir.archive) if "tenant=default" in path.parts]


def test_a_file_is_closed_when_it_is_old(start):
    weir = start(exporters={"archive": archive("archive", max_file_age="1s", max_file_size="1GiB")})
    for name in ("first", "second"):
        assert post(weir.endpoint, a_body(a_span(name=name))).status == 200
        eventually(
            lambda: name in [archived.span.name for archived in archives.spans(weir.archive)],
            lambda: f"{archives.files(weir.archive)}",
        )
    assert len(published(weir)) == 2


@pytest.mark.parametrize("format, compression", [("otlp_json", "none"), ("otlp_json", "zstd"), ("otlp_proto", "gzip")])
def test_a_reader_never_sees_half_a_file(start, format, compression):
    weir = start(exporters={"archive": archive("archive", format, compression, max_file_size="16KiB")})
    stop, seen, failures = threading.Event(), {}, []

    def read():
        while not stop.is_set():
            # As DuckDB finds them, which looks into hidden folders as well.
            for path in archives.files(weir.archive):
                try:
                    data = path.read_bytes()
                    archives.messages(path)
                except Exception as error:  # noqa: BLE001, whatever a reader stumbles over
                    failures.append(f"{path}: {error!r}")
                else:
                    if seen.setdefault(path, data) != data:
                        failures.append(f"{path} changed")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with Connection(weir.endpoint) as connection:
            for number in range(300):
                spans = [
                    a_span_at(FIRST + hour * HOUR, name=f"{number}", attributes=[text("k", str(number) * 300)])
                    for hour in range(3)
                ]
                connection.send(request(a_body(*spans)))
                assert connection.read().status == 200
                if number % 10 == 9:
                    sent(weir, 3 * number + 3)
        eventually(lambda: len(seen) > 3, lambda: f"the reader saw {len(seen)} files")
        weir.stop()
    finally:
        stop.set()
        reader.join()
    assert not failures, failures[:3]
    assert len(weir.spans()) == 900


def test_a_restart_adds_files_and_changes_none(start, tmp_path):
    folder = tmp_path / "shared"
    first = start(exporters={"archive": archive(folder)})
    assert post(first.endpoint, a_body(a_span(name="first"))).status == 200
    first.stop()
    before = {path: path.read_bytes() for path in archives.files(folder)}
    second = start(exporters={"archive": archive(folder)})
    assert post(second.endpoint, a_body(a_span(name="second"))).status == 200
    second.stop()
    after = {path: path.read_bytes() for path in archives.files(folder)}
    assert before.items() < after.items()
    assert sorted(archived.span.name for archived in archives.spans(folder)) == ["first", "second"]


def test_an_exporter_that_fails_does_not_disturb_another(start, tmp_path):
    blocked, free = tmp_path / "blocked", tmp_path / "free"
    blocked.mkdir()
    # Permissions would not stop root; a file in the way stops everybody.
    (blocked / "tenant=default").write_text("in the way")
    weir = start(exporters={"archive/blocked": archive(blocked), "archive/free": archive(free)})
    for number in range(100):
        assert post(weir.endpoint, a_body(a_span(name=str(number)))).status == 200
    eventually(
        lambda: len(archives.spans(free)) == 100, lambda: f"{len(archives.spans(free))} of 100 spans; {weir.log()}"
    )
    eventually(lambda: weir.metric("otelcol_exporter_sent_spans", exporter="archive/free") == 100, weir.log)
    assert weir.metric("weir_archive_files_published", exporter="archive/blocked") == 0
    eventually(lambda: "archive/blocked" in weir.log(), "not a word about the failure")
    weir.terminate()
    # What cannot be written is said; the exit may tell of it, but it has to come.
    assert weir.wait(deadline=30) in (0, 1)
    assert len(archives.spans(free)) == 100


def test_an_exporter_that_can_write_again_goes_on(start, tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "tenant=default").write_text("in the way")
    weir = start(exporters={"archive": archive(folder)})
    for number in range(10):
        assert post(weir.endpoint, a_body(a_span(name=str(number)))).status == 200
    eventually(
        lambda: any(line.get("level") in ("warn", "warning", "error") for line in weir.records()),
        "not a word about the failure",
    )
    (folder / "tenant=default").unlink()
    eventually(
        lambda: len(archives.spans(folder)) == 10,
        lambda: f"{len(archives.spans(folder))} of 10; {weir.log()}",
        deadline=60,
    )


def test_several_archives_get_the_same_spans(start):
    weir = start(exporters={f"archive/{format}": archive(format, format, "zstd") for format in FORMATS})
    assert post(weir.endpoint, a_body(*[a_span(name=str(number)) for number in range(50)])).rejected() == 0
    weir.stop()
    one, two = [sorted(s.key() for s in archives.spans(weir.directory / format)) for format in FORMATS]
    assert one == two and len(one) == 50


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_duckdb_reads_the_lines_and_the_partitions(start, compression):
    weir = start(exporters={"archive": archive("archive", "otlp_json", compression)})
    spans = [a_span_at(FIRST + hour * HOUR, name=f"span {number}") for hour in range(3) for number in range(10)]
    assert post(weir.endpoint, a_body(*spans)).rejected() == 0
    weir.stop()
    pattern = f"{weir.archive}/*/*/*/*.jsonl{COMPRESSIONS[compression]}"
    rows = duckdb.sql(f"""
        SELECT tenant, date, hour, count(*), min(span.name), min(span.traceId)
        FROM (SELECT tenant, date, hour, unnest(s.spans) AS span
              FROM (SELECT tenant, date, hour, unnest(r.scopeSpans) AS s
                    FROM (SELECT tenant, date, hour, unnest(resourceSpans) AS r
                          FROM read_json_auto('{pattern}', format = 'newline_delimited', hive_partitioning = true))))
        GROUP BY ALL ORDER BY ALL""").fetchall()
    assert [row[0] for row in rows] == ["default"] * 3 and [row[3] for row in rows] == [10, 10, 10]
    assert [f"tenant={row[0]}/date={row[1]}/hour={int(row[2]):02}" for row in rows] == [
        partition(FIRST + hour * HOUR) for hour in range(3)
    ]
    assert all(row[4] == "span 0" and re.fullmatch("[0-9a-f]{32}", str(row[5]).replace("-", "")) for row in rows)


def test_a_line_of_json_is_a_whole_message_without_line_breaks(start):
    weir = start(exporters={"archive": archive("archive", "otlp_json")})
    assert post(weir.endpoint, a_body(a_span(name="two\nlines\r\u2028and more"))).status == 200
    weir.stop()
    (path,) = archives.files(weir.archive)
    (line,) = path.read_bytes().split(b"\n")[:-1]
    assert list(json.loads(line)) == ["resourceSpans"]


NAME = re.compile(r"\d{8}T\d{6}Z-([0-9a-f]{16})-(\d{20})-(\d{20})\.(?:jsonl|otlp)(?:\.gz|\.zst)?")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", FORMATS)
def test_name_and_footer_say_which_records_are_in_a_file(start, format, compression):
    weir = start(exporters={"archive": archive("archive", format, compression, max_file_age="1h")})
    for number in range(7):
        # Every other request has spans in a second hour.
        hours = range(1 + number % 2)
        spans = [a_span_at(FIRST + hour * HOUR) for hour in hours for _ in range(3)]
        assert post(weir.endpoint, a_body(*spans)).status == 200
        sent(weir, sum(3 * (1 + each % 2) for each in range(number + 1)))
    weir.stop()
    found = []
    for path in archives.files(weir.archive):
        journal, first, last = NAME.fullmatch(path.name).groups()
        # As docs/archive.md says.
        command = f"""grep -ao '{{"journal":[^}}]*}}' '{path}' | tail -n 1"""
        line = subprocess.run(command, shell=True, capture_output=True, check=True, text=True, errors="replace").stdout
        if compression == "none":
            assert line == ""
            continue
        footer = json.loads(line)
        assert footer == {
            "journal": journal,
            "first_sequence": int(first),
            "last_sequence": int(last),
            "records": footer["records"],
            "spans": sum(len(archives.flat(message)) for message in archives.messages(path)),
        }
        found.append((int(first), int(last), footer["records"], footer["spans"]))
    assert found == ([] if compression == "none" else [(1, 7, 7, 21), (2, 6, 3, 9)])


@pytest.mark.parametrize("format", FORMATS)
def test_a_reader_may_begin_anywhere(start, format, dice):
    weir = start(exporters={"archive": archive("archive", format, "zstd", max_file_age="1h")})
    for number in range(20):
        assert post(weir.endpoint, a_body(a_span_at(FIRST), a_span_at(FIRST))).status == 200
        sent(weir, 2 * (number + 1))
    weir.stop()
    [path] = archives.files(weir.archive)
    whole = archives.content(path)
    with pyzstd.SeekableZstdFile(path) as file:
        for position in [len(whole) - 1, 0, *(dice.randrange(len(whole)) for _ in range(20))]:
            file.seek(position)
            assert file.read(100) == whole[position : position + 100]
        file.seek(0, 2)
        assert file.tell() == len(whole)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_commands_show_what_is_there_and_what_is_wrong_with_it(start, format, compression):
    weir = start(exporters={"archive": archive("archive", format, compression)})
    sent = a_request(*[a_span_at(FIRST + hour * HOUR, name=f"span {hour}") for hour in range(3) for _ in range(4)])
    assert post(weir.endpoint, sent.SerializeToString()).rejected() == 0
    weir.stop()

    def run(*arguments):
        return command("archive", *arguments, "--config", "collector.yaml", cwd=weir.directory)

    whole = run("verify")
    size = sum(path.stat().st_size for path in archives.files(weir.archive))
    assert (whole.returncode, whole.stdout) == (0, f"3 files, 12 spans, {size} bytes: whole\n"), whole
    assert len(run("ls").stdout.splitlines()) == 4
    day = datetime.datetime.fromtimestamp(FIRST // 10**9, datetime.UTC)
    listed = [json.loads(line)["files"][0]["path"] for line in run("ls", "--json").stdout.splitlines()]
    assert listed == [str(path.relative_to(weir.archive)) for path in archives.files(weir.archive)]
    assert run("stat").stdout.splitlines()[1].split()[:4] == ["default", f"{day:%Y-%m-%d}", "3", "12"]
    lines = [archives.from_json(json.loads(line)) for line in run("cat").stdout.splitlines()]
    found = [archived.key() for message in lines for archived in archives.flat(message)]
    assert sorted(found) == sorted(archived.key() for archived in archives.flat(sent))
    hour = [f"{day + datetime.timedelta(hours=number):%Y-%m-%dT%H:00:00Z}" for number in (1, 2)]
    part = run("cat", "--from", hour[0], "--to", hour[1]).stdout.splitlines()
    assert ["span 1"] * 4 == [a.span.name for line in part for a in archives.flat(archives.from_json(json.loads(line)))]
    span = sent.resource_spans[0].scope_spans[0].spans[5]
    [line] = run("find", span.trace_id.hex()).stdout.splitlines()
    assert line.endswith(str(archives.files(weir.archive)[1].relative_to(weir.archive))), line
    none = run("find", "ab" * 16)
    assert (none.returncode, none.stdout) == (0, "") and "looked into 0 of 3 files" in none.stderr
    path = archives.files(weir.archive)[1]
    path.chmod(0o640)
    path.write_bytes(path.read_bytes()[:-1])
    broken = run("verify")
    assert broken.returncode == 1 and str(path.relative_to(weir.archive)) in broken.stdout
    if compression != "none" or format == "otlp_proto":
        assert run("cat", str(path)).returncode != 0


def test_find_goes_on_behind_what_it_cannot_read(start):
    weir = start(exporters={"archive": archive("archive", "otlp_json")})
    trace = bytes(range(16))
    sent = a_request(*[a_span_at(FIRST + hour * HOUR, trace_id=trace) for hour in range(3)])
    assert post(weir.endpoint, sent.SerializeToString()).rejected() == 0
    weir.stop()

    def find():
        done = command("archive", "find", trace.hex(), "--config", "collector.yaml", cwd=weir.directory)
        return done.returncode, len(done.stdout.splitlines()), done.stderr

    assert find()[:2] == (0, 3)
    [first, *_] = archives.files(weir.archive)
    [manifest] = first.parent.glob("_*.manifest.json")
    [filter] = first.parent.glob("_*.bloom")
    contents = {path: path.read_bytes() for path in (first, manifest, filter)}

    def put(path, content=None):
        path.unlink(missing_ok=True)
        path.write_bytes(contents[path] if content is None else content)

    put(first, b"?")
    code, lines, errors = find()
    assert (code, lines) == (1, 2) and f"{first.relative_to(weir.archive)}: may have spans" in errors, errors
    first.unlink()
    code, lines, errors = find()
    assert (code, lines) == (1, 2) and "and is missing" in errors, errors
    put(first)
    put(manifest, b"?")
    code, lines, errors = find()
    assert (code, lines) == (1, 2) and "found no manifest that can be read" in errors, errors
    put(manifest)
    filter.unlink()
    # It costs time.
    assert find()[:2] == (0, 3)
