"""A day that the retention has dropped comes back from the archive, once, whatever is killed on the way."""

import contextlib
import json
import random
import sqlite3
import subprocess
import time

import otlp
from test_encryption import post
from waiting import eventually
from weir import BINARY, archive, command, configuration
from weir import sqlite as tables_in


def rows(directory):
    found = []
    for path in sorted((directory / "hot").glob("spans-*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as tables:
            found += tables.execute("SELECT journal, sequence, hex(trace_id), span_id, attributes FROM spans").fetchall()
    return sorted(found)


def test_a_day_comes_back_once_however_often_it_is_killed(start, tmp_path):
    weir = start(directory=tmp_path, text=configuration(exporters={
        "sqlite": tables_in(tmp_path / "hot"), "archive": archive(tmp_path / "archive")},
        journal={"directory": str(tmp_path / "journal"), "dedupe_window": "0s"}))
    now = time.time_ns()
    for number in range(300):
        span = otlp.a_span(start_time_unix_nano=now - number * 60 * 10**9, end_time_unix_nano=now)
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
    weir.drain()
    weir.stop()
    before = rows(tmp_path)
    assert len(before) == 300
    for path in (tmp_path / "hot").glob("spans-*"):
        path.unlink()
    restore = ["archive", "restore", "--config", str(tmp_path / "collector.yaml"), "--tenant", "default",
               "--from", "2020-01-01", "--to", "2100-01-01"]
    seed = random.randrange(1 << 32)
    print("seed", seed)
    delays = random.Random(seed)
    for _ in range(10):
        process = subprocess.Popen([BINARY, *restore], cwd=tmp_path, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(delays.uniform(0.02, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # While Weir runs, too.
    weir = start(directory=tmp_path, text=(tmp_path / "collector.yaml").read_text())
    done = command(*restore, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    eventually(lambda: rows(tmp_path) == before, "other rows")
    again = command(*restore, cwd=tmp_path)
    assert "0 spans restored, 300 there already" in again.stdout


def archived(directory):
    return sum(json.loads(path.read_text())["spans"] for path in directory.rglob("_*.manifest.json"))


def test_what_waits_for_the_tables_is_left_to_their_exporter_though_the_tables_are_new(start, tmp_path):
    text = configuration(exporters={
        "sqlite": tables_in(tmp_path / "hot"), "archive": archive(tmp_path / "archive")},
        journal={"directory": str(tmp_path / "journal"), "dedupe_window": "0s"})
    weir = start(directory=tmp_path, text=text)

    def send(count):
        for _ in range(count):
            span = otlp.a_span(start_time_unix_nano=time.time_ns(), end_time_unix_nano=time.time_ns())
            assert post(weir.endpoint, otlp.a_request(span))[0] == 200

    send(5)
    weir.drain()
    # Whoever has the file for himself keeps the exporter from it.
    with contextlib.closing(sqlite3.connect(next((tmp_path / "hot").glob("spans-*.db")), isolation_level=None)) as stuck:
        stuck.execute("BEGIN EXCLUSIVE")
        send(10)
        eventually(lambda: archived(tmp_path / "archive") == 15, weir.log)
        weir.kill()
    for path in (tmp_path / "hot").iterdir():
        path.unlink()
    done = command("archive", "restore", "--config", str(tmp_path / "collector.yaml"), "--tenant", "default",
                   "--from", "2020-01-01", "--to", "2100-01-01", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "5 spans restored" in done.stdout and "left out 10 spans on the way to the tables" in done.stderr
    weir = start(directory=tmp_path, text=text)
    weir.drain()
    assert len(rows(tmp_path)) == 15
