"""How days of the tables end when an archive is beside them, and the last requests of an archive sent again."""

import fcntl
import time

import pytest

import archives
from backend import OK
from otlp import a_body, a_span
from test_compaction import DAY
from waiting import eventually
from weir import archive, command, configuration, forward, sqlite
from wire import post


def exporters(directory, retention, **further):
    return {
        "sqlite": sqlite(directory / "hot", retention=retention, **further),
        "archive": archive(directory / "archive", max_file_age="1h"),
    }


@pytest.fixture
def stored(start, tmp_path):
    """Tables and an archive with two requests of five days ago; returns how to go on with another retention."""

    def go_on(retention, **further):
        journal = {"directory": str(tmp_path / "journal")}
        return start(directory=tmp_path / "weir", exporters=exporters(tmp_path, retention, **further), journal=journal)

    weir = go_on("30d")
    when = (time.time_ns() // DAY - 5) * DAY
    for _ in range(2):
        spans = [a_span(start_time_unix_nano=when, end_time_unix_nano=when) for _ in range(3)]
        assert post(weir.endpoint, a_body(*spans)).status == 200
        weir.stop()
        weir = go_on("30d")
    weir.stop()
    assert hot(tmp_path)
    return go_on


def hot(directory):
    return sorted(directory.glob("hot/spans-*.db"))


def test_a_day_goes_that_the_archive_has(stored, tmp_path):
    weir = stored("1d")
    # The archive's files are read after the first look, and the second one is ten seconds later.
    eventually(lambda: not hot(tmp_path), weir.log, 150)
    eventually(lambda: "removed a day after its retention" in weir.log(), weir.log)
    assert weir.metric("weir_store_days_kept", reason="archive_lacks") == 0


@pytest.mark.parametrize("what", ["archive_lacks", "archive_damaged"])
def test_a_day_stays_that_the_archive_has_not_and_says_so(stored, tmp_path, what):
    file = archives.published(tmp_path / "archive")[0]
    if what == "archive_lacks":
        file.with_name(f"_{file.name.split('.')[0]}.manifest.json").unlink()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    weir = stored("1d")
    eventually(lambda: weir.metric("weir_store_days_kept", reason=what) == 1, weir.log)
    assert "a day is kept whose time is over" in weir.log() and hot(tmp_path)
    status = command("store", "status", "--config", str(weir.config), cwd=weir.directory)
    assert status.returncode == 0, status.stderr
    if what == "archive_lacks":
        assert "archive has 3 of 6 spans" in status.stdout
    weir.stop()
    weir = stored("1d", wait_for_archive=False)
    eventually(lambda: not hot(tmp_path), weir.log)


@pytest.mark.parametrize("format", ["otlp_proto", "parquet"])
def test_the_newest_requests_are_sent_again(start, tmp_path, backend, format):
    weir = start(
        directory=tmp_path / "weir",
        exporters={"archive": archive(tmp_path / "archive", format)},
        journal={"directory": str(tmp_path / "journal")},
    )
    now = time.time_ns()
    sent = []
    for number in range(20):
        # A request of two hours, so of two messages.
        starts = [now - (20 - number) * 10**9, now - (20 - number) * 10**9 - 3600 * 10**9]
        if number == 3:
            # A clock that is years ahead makes nothing new.
            starts = [2**64 - 10**12, 2**64 - 10**12]
        spans = [a_span(start_time_unix_nano=when, end_time_unix_nano=when) for when in starts]
        sent.append(spans)
        assert post(weir.endpoint, a_body(*spans)).status == 200
    weir.stop()
    weir.config.write_text(
        configuration(
            exporters={"archive": archive(tmp_path / "archive", format), "otlp_http": forward(backend.url)},
            journal={"directory": str(tmp_path / "journal")},
        )
    )

    def replay(count, to="otlp_http"):
        arguments = ["--config", str(weir.config), "--last", str(count), "--to", to]
        return command("archive", "replay", *arguments, cwd=weir.directory)

    done = replay(10)
    assert done.returncode == 0, done.stderr
    assert "5 requests: 10 spans sent, 0 refused, 0 not sent" in done.stdout
    wanted = sorted(span.span_id for spans in sent[15:] for span in spans)
    assert sorted(backend.taken.elements()) == wanted
    backend.mood = lambda _: 400
    refused = replay(10)
    assert refused.returncode == 1 and "0 spans sent, 10 refused, 0 not sent" in refused.stdout
    backend.mood = lambda _: OK
    assert "20 requests: 40 spans sent" in replay(1000).stdout
    assert "found exporter" in replay(1, to="nobody").stderr
    # What it had in memory would be sent after who is erased meanwhile.
    with open(next(tmp_path.rglob("erasures")) / "places", "a") as places:
        fcntl.flock(places, fcntl.LOCK_EX)
        backend.taken.clear()
        busy = replay(10)
        assert busy.returncode == 1 and "another process erases, restores or replays" in busy.stderr
        assert not backend.taken


def test_what_is_newest_is_sent_whatever_its_format_and_what_is_not_sent_is_named(start, tmp_path, backend):
    def run(format, **further):
        exporters = {"archive": archive(tmp_path / "archive", format, max_file_age="1h"), **further}
        return dict(exporters=exporters, journal={"directory": str(tmp_path / "journal")})

    sent = []
    for format in ("otlp_proto", "parquet"):
        weir = start(directory=tmp_path / "weir", **run(format))
        for _ in range(3):
            sent.append(a_span(start_time_unix_nano=time.time_ns(), end_time_unix_nano=time.time_ns()))
            assert post(weir.endpoint, a_body(sent[-1])).status == 200
        weir.stop()
    weir.config.write_text(configuration(**run("parquet", otlp_http=forward(backend.url))))

    def replay(count):
        backend.taken.clear()
        arguments = ["--config", str(weir.config), "--last", str(count), "--to", "otlp_http"]
        done = command("archive", "replay", *arguments, cwd=weir.directory)
        return done.returncode, sorted(backend.taken.elements()), done.stderr

    ids = [span.span_id for span in sent]
    assert replay(2)[:2] == (0, sorted(ids[4:]))
    assert replay(4)[:2] == (0, sorted(ids[2:]))
    assert replay(6)[:2] == (0, sorted(ids))
    # Of OTLP only a bucket has the file, as far as anybody here knows. The rows are newer, and still enough.
    for file in archives.files(tmp_path / "archive"):
        for manifest in file.parent.glob("_*.manifest.json"):
            manifest.rename(manifest.with_name(manifest.name.replace(".manifest.json", ".uploaded.json")))
    assert replay(2)[:2] == (0, sorted(ids[4:]))
    code, taken, errors = replay(4)
    assert code == 1 and taken == sorted(ids[3:]) and "only a bucket has it" in errors, errors
    for rows in (tmp_path / "archive" / "spans").rglob("_*.manifest.json"):
        rows.chmod(0o640)
        rows.write_text("?")
    code, taken, errors = replay(2)
    assert code == 1 and taken == [] and "found no manifest that can be read" in errors, errors


def test_check_warns_where_otlp_ends_before_the_rows_that_are_left_to_it(tmp_path):
    file = tmp_path / "collector.yaml"

    def check(**lifecycle):
        rows = archive(tmp_path / "rows", "parquet", lifecycle={"warm": "1d", "cold": "10d"})
        file.write_text(configuration(exporters={
            "archive/rows": rows, "archive": archive(tmp_path / "archive", lifecycle=lifecycle)}))
        done = command("check", "--config", str(file))
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    assert "no archive of OTLP" not in check(warm="1d", cold="10d")
    assert "rows may stay until `cold`" in check(warm="1d", cold="9d")
    shop = {"shop": {"tenants": ["shop"], "cold": "2d"}}
    assert 'rows of tenant "shop" may stay until `cold`' in check(warm="1d", cold="10d", classes=shop)
