"""Ten million rows in one file of Parquet, as they came and as many files became one, read by DuckDB and PyArrow."""

import pathlib
import random
import re
import struct
import subprocess
import time

import duckdb
import pyarrow.compute
import pyarrow.parquet
import pytest

from otlp import a_body, a_span, attribute, text
from waiting import eventually
from weir import BINARY, archive, command, configuration
from wire import post

pytestmark = pytest.mark.torture

ROWS = 10_000_000
# Of a request, and of a trace.
SPANS, TRACE = 10_000, 10
DAY = 86_400 * 10**9
# The journal holds what an open file has.
JOURNAL = {"max_bytes": "12GiB", "tenant_max_bytes": "8GiB"}
# A row group, the traces of the file, and the newest of the journal.
MOST_MEMORY = 700 << 20


def noon():
    """Of the day before yesterday, which is over for all that merges."""
    return (time.time_ns() // DAY - 2) * DAY + DAY // 2


def spread(number):
    """No two give the same 64 bits, and they look like chance."""
    return (number + 1) * 0x9E3779B97F4A7C15 % 2**64


def shuffled(number):
    """Each number below ROWS once."""
    return number * 7_654_321 % ROWS


def trace_id(trace):
    return struct.pack(">QQ", spread(trace), spread(~trace))


def bodies(start):
    """Requests with spans that differ in ids, times and user: one that is made once, and columns of bytes put in.

    Spans begin so many nanoseconds after `start`, and take as many, as there are numbers below ROWS: each once."""
    spans = [
        a_span(
            trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=0xB5 << 56, end_time_unix_nano=0xE5 << 56,
            attributes=[text("http.route", "/orders"), text("user.id", "u" * 8), attribute("http.status_code", 200)],
        )  # fmt: skip
        for _ in range(SPANS)
    ]
    body = bytearray(a_body(*spans))
    one = a_body(spans[0])
    stride = len(a_body(*spans[:101])) - len(a_body(*spans[:100]))
    first = body.index(b"t" * 16) - one.index(b"t" * 16)

    def put(mark, values):
        width = len(mark)
        place = first + one.index(mark)
        for byte in range(width):
            body[place + byte : place + byte + stride * SPANS : stride] = values[byte::width]

    for begin in range(0, ROWS, SPANS):
        numbers = range(begin, begin + SPANS)
        starts = [start + shuffled(number) for number in numbers]
        ends = [start + shuffled(number) for start, number in zip(starts, reversed(numbers), strict=True)]
        put(b"t" * 16, b"".join(trace_id(number // TRACE) for number in numbers))
        put(b"s" * 8, struct.pack(f">{SPANS}Q", *(spread(number) for number in numbers)))
        put(struct.pack("<Q", 0xB5 << 56), struct.pack(f"<{SPANS}Q", *starts))
        put(struct.pack("<Q", 0xE5 << 56), struct.pack(f"<{SPANS}Q", *ends))
        put(b"u" * 8, b"".join(b"%08d" % (number // 1000) for number in numbers))
        yield bytes(body)


def send(weir, start):
    for body in bodies(start):
        # Where the disk is slower than the sender, there is no room for a while.
        eventually(lambda: post(weir.endpoint, body).status == 200, weir.log, 60)  # noqa: B023
    eventually(lambda: weir.metric("weir_archive_spans_written") == ROWS, weir.log, 300)


def check(path, start):
    """Reads everything, with DuckDB and with PyArrow."""
    all_numbers = ROWS * (ROWS - 1) // 2
    (found,) = duckdb.sql(f"""
        SELECT count(*), count(DISTINCT span_id), count(DISTINCT trace_id), sum(start_unix_nano - {start}),
               count(DISTINCT start_unix_nano), sum(duration_ns), count(DISTINCT user_id), sum(http_status),
               count(*) FILTER (attrs->>'http.route' = '/orders'), count(DISTINCT (seq, place))
        FROM '{path}'""").fetchall()
    assert found == (
        ROWS, ROWS, ROWS // TRACE, all_numbers, ROWS, all_numbers, ROWS // 1000, 200 * ROWS, ROWS, ROWS
    )  # fmt: skip
    file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
    # One is full at 122,880 rows, and then has what the same batch brought.
    assert ROWS / 150_000 < file.num_row_groups < ROWS / 100_000
    rows = durations = 0
    for number in range(file.num_row_groups):
        group = file.read_row_group(number)
        group.validate(full=True)
        rows += group.num_rows
        durations += pyarrow.compute.sum(group["duration_ns"]).as_py()
    assert (rows, durations) == (ROWS, all_numbers)
    return file.num_row_groups


def check_filters(path, groups):
    """A trace that is there is in one or two row groups, and hardly in another; one that is not is in none."""

    def maybe(trace):
        probe = f"parquet_bloom_probe('{path}', 'trace_id', '{trace_id(trace).hex()}')"
        answers = [excludes for (excludes,) in duckdb.sql(f"SELECT bloom_filter_excludes FROM {probe}").fetchall()]
        assert len(answers) == groups
        return answers.count(False)

    dice = random.Random(10)
    there = [maybe(dice.randrange(ROWS // TRACE)) for _ in range(20)]
    assert min(there) >= 1 and sum(there) <= 30, there
    away = [maybe(ROWS + number) for number in range(20)]
    assert sum(away) <= 10, away


def check_commands(weir, path):
    done = command("archive", "verify", "--directory", str(weir.archive), deadline=300)
    assert done.returncode == 0, done.stdout
    assert str(ROWS) in done.stdout.replace(",", ""), done.stdout
    found = command("archive", "find", trace_id(ROWS // TRACE - 1).hex(), "--directory", str(weir.archive), deadline=60)
    (line,) = found.stdout.splitlines()
    assert path.name in line and line.split()[0] == str(TRACE), line


def compacted(weir):
    """Merges what there is. - Returns: what that said, and the most memory that it took."""
    arguments = [BINARY, "archive", "compact", "--config", weir.config]
    peak = 0

    def ended():
        nonlocal peak
        # Not what the system says at the end: that counts this process too, as it was when it began the other.
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())
        peak = int(found[1]) * 1024 if found else peak
        return process.poll() is not None

    with open(weir.directory / "compaction", "w+") as out:
        process = subprocess.Popen(arguments, cwd=weir.directory, stdout=out)
        try:
            eventually(ended, "still merging", 600)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        return out.read(), peak


def report(what, path, groups, peak):
    size = path.stat().st_size / ROWS
    print(f"{what}: {size:.1f} bytes a row, {groups} row groups, {peak >> 20} MiB of memory at most")


def test_ten_million_rows_are_one_file(start):
    begin = noon()
    exporter = archive("archive", "parquet", "zstd", max_file_age="1h", max_file_size="64GiB")
    weir = start(exporters={"archive": exporter}, journal=JOURNAL)
    send(weir, begin)
    peak = weir.memory_peak()
    weir.stop()
    (path,) = (weir.archive / "spans").rglob("*.parquet")
    groups = check(path, begin)
    report("one file", path, groups, peak)
    check_filters(path, groups)
    check_commands(weir, path)
    assert peak < MOST_MEMORY, f"{peak >> 20} MiB"


def test_many_files_become_one_of_ten_million_rows(start):
    begin = noon()
    rules = {"enabled": False, "target_size": "16GiB"}
    exporter = archive("archive", "parquet", "zstd", max_file_age="1h", max_file_size="16MiB", compaction=rules)
    weir = start(exporters={"archive": exporter}, journal=JOURNAL)
    send(weir, begin)
    weir.stop()
    many = [*(weir.archive / "spans").rglob("*.parquet")]
    assert len(many) > 3
    weir.config.write_text(configuration(exporters={"archive": {**exporter, "compaction": {**rules, "enabled": True}}}))
    said, peak = compacted(weir)
    assert f"{len(many)} files merged into 1, with {ROWS} spans" in said, said
    (path,) = (weir.archive / "spans").rglob("*.parquet")
    groups = check(path, begin)
    report(f"{len(many)} files", path, groups, peak)
    check_filters(path, groups)
    check_commands(weir, path)
    assert peak < MOST_MEMORY, f"{peak >> 20} MiB"
