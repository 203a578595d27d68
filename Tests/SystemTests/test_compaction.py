"""The files of a day that is over become few: what every reader finds before, after, and whatever is killed on the way."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import time

import pyarrow.parquet
import pytest

import archives
import parquets
from otlp import a_body, a_span, text
from waiting import eventually
from weir import archive, command, configuration
from wire import post

DAY = 86_400 * 10**9
HOUR = 3_600 * 10**9
HOURS = 4
FORMATS = ["otlp_json", "otlp_proto", "parquet"]
# What a merge does with files, in the order in which it does so.
STEPS = [
    ("write", "/.erasing/"),
    ("fsync", "/archive/"),
    ("rename", "/.erasing/"),
    ("mkdir", "hour=24"),
    ("link", "/.erasing/"),
    ("unlink", "/archive/"),
]


def long(*values):
    return pytest.param(*values, marks=pytest.mark.torture)


@pytest.fixture
def fill(start, tmp_path):
    """Makes an archive with files of the day before yesterday; returns its folder and the spans' ids."""

    def make(format):
        # A batch is larger than that, and so has a file of its own.
        keys = {"max_file_age": "1h", "max_file_size": "4KiB"}
        exporters = {"archive": archive(tmp_path / "archive", format, "zstd", **keys)}
        midnight = (time.time_ns() // DAY - 2) * DAY
        ids = []
        for _ in range(2):
            weir = start(exporters=exporters, journal={"directory": str(tmp_path / "journal")})
            for hour in range(HOURS):
                when = midnight + hour * HOUR
                call = [text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "m")]
                call.append(text("noise", os.urandom(4096).hex()))
                spans = [a_span(start_time_unix_nano=when, end_time_unix_nano=when + 5, attributes=call) for _ in range(3)]
                # A request with spans of two hours.
                spans.append(a_span(start_time_unix_nano=when + HOUR, end_time_unix_nano=when + HOUR))
                ids += [span.span_id.hex() for span in spans]
                assert post(weir.endpoint, a_body(*spans)).status == 200
                written = len(spans) * (hour + 1)
                eventually(lambda: weir.metric("weir_archive_spans_written") == written, weir.log)  # noqa: B023
            weir.stop()
        return tmp_path / "archive", sorted(ids)

    return make


def config(directory, format):
    path = directory / "collector.yaml"
    path.write_text(
        configuration(
            exporters={"archive": archive(directory / "archive", format, "zstd")},
            journal={"directory": str(directory / "journal")},
        )
    )
    return path


def compact(directory, format, env=None):
    return command("archive", "compact", "--config", str(config(directory, format)), cwd=directory, env=env, deadline=60)


def verify(directory, format):
    return command("archive", "verify", "--config", str(config(directory, format)), cwd=directory)


def ids_in(path):
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path, columns=["span_id"], partitioning=None)["span_id"].to_pylist()
    return [span.span.span_id.hex() for message in archives.messages(path) for span in archives.flat(message)]


def by_manifests(directory):
    """The ids that one finds who goes by manifests, and leaves out those that another supersedes."""
    found = [(json.loads(path.read_bytes()), hashlib.sha256(path.read_bytes()).hexdigest()) for path in manifests(directory)]
    superseded = {digest for manifest, _ in found for digest in manifest.get("supersedes", [])}
    files = [manifest["files"][0]["path"] for manifest, digest in found if digest not in superseded]
    return sorted(span for path in files for span in ids_in(directory / path))


def by_names(directory):
    """The ids that one finds who goes by names."""
    files = [*archives.files(directory), *archives.rows(directory)]
    return sorted(span for path in files for span in ids_in(path))


def manifests(directory):
    return sorted(pathlib.Path(directory).rglob("_*.manifest.json"))


@pytest.mark.parametrize("format", FORMATS)
def test_a_day_becomes_one_file(fill, tmp_path, format):
    directory, ids = fill(format)
    assert len(manifests(directory)) == 2 * HOURS
    done = compact(tmp_path, format)
    assert done.returncode == 0, done.stderr
    assert f"{2 * HOURS} files merged into 1, with {len(ids)} spans" in done.stdout
    assert by_manifests(directory) == by_names(directory) == ids
    assert len(manifests(directory)) == 1
    whole = verify(tmp_path, format)
    assert whole.returncode == 0, whole.stdout
    listed = command("archive", "ls", "--config", str(config(tmp_path, format)), cwd=tmp_path).stdout
    assert "hour=24" in listed and "hour=00" not in listed
    if format != "parquet":
        # Of the whole day, the spans of the hour: three of its own request and one of the one before, twice.
        midnight = (time.time_ns() // DAY - 2) * DAY
        day = time.strftime("%Y-%m-%d", time.gmtime(midnight // 10**9))
        hours = ["--from", f"{day}T01:00:00Z", "--to", f"{day}T02:00:00Z"]
        arguments = ["--config", str(config(tmp_path, format)), *hours]
        lines = command("archive", "cat", *arguments, cwd=tmp_path).stdout.splitlines()
        found = [span.span for line in lines for span in archives.flat(archives.from_json(json.loads(line)))]
        assert [span.start_time_unix_nano // HOUR for span in found] == [midnight // HOUR + 1] * 8
    assert "0 files merged into 0" in compact(tmp_path, format).stdout


def test_engines_read_the_same_rows_from_a_merged_day(fill, tmp_path):
    directory, ids = fill("parquet")

    def rows(read, dataset):
        found = [{key: value for key, value in row.items() if key != "hour"} for row in read(directory, dataset)]
        return sorted(found, key=lambda row: row["span_id"])

    # A day that is not merged stands beside it.
    shutil.copytree(directory / "spans", tmp_path / "hours" / "spans")
    before = {dataset: rows(parquets.by_duckdb, dataset) for dataset in ["spans", "llm_usage"]}
    assert len(before["spans"]) == len(ids) and len(before["llm_usage"]) == 2 * HOURS * 3
    assert compact(tmp_path, "parquet").returncode == 0
    for dataset, wanted in before.items():
        assert rows(parquets.by_duckdb, dataset) == wanted
        found = rows(parquets.by_pyarrow, dataset)
        assert [row["span_id"] for row in found] == [row["span_id"] for row in wanted]
    date = next((directory / "spans" / "tenant=default").iterdir())
    other = date.with_name("date=2020-01-01")
    shutil.copytree(next((tmp_path / "hours" / "spans" / "tenant=default").iterdir()), other)
    assert len(rows(parquets.by_duckdb, "spans")) == 2 * len(ids)
    assert len(rows(parquets.by_pyarrow, "spans")) == 2 * len(ids)


@pytest.mark.parametrize(
    "format, all",
    [("otlp_proto", False), ("parquet", False), *(long(format, True) for format in FORMATS)],
)
def test_a_merge_that_is_killed_is_gone_on_with(fill, faults, dice, tmp_path, format, all):
    directory, ids = fill(format)
    for call, where in STEPS:
        for action in ["before", "after"] if all else [dice.choice(["before", "after"])]:
            # All of them, or a few, until there are no more.
            number = 1 if all else dice.randint(1, 4)
            while kill(directory, ids, tmp_path, format, faults.at(call, where, action, number), f"{call} {action} {number}"):
                number += 1 if all else 100


def kill(directory, ids, tmp_path, format, fault, what):
    """Returns whether it came to that."""
    place = tmp_path / "killed"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(directory, place / "archive")
    ended = compact(place, format, fault)
    assert ended.returncode in [0, -signal.SIGKILL], ended.stderr
    assert by_manifests(place / "archive") == ids, what
    if ended.returncode == 0:
        return False
    again = compact(place, format)
    assert again.returncode == 0, what + again.stderr
    assert list((place / "archive" / ".erasing").iterdir()) == [], what
    assert by_manifests(place / "archive") == by_names(place / "archive") == ids, what
    whole = verify(place, format)
    assert whole.returncode == 0, what + whole.stdout
    return True
