"""Disks that are full or broken: requests are refused for as long, exporters go on, and no restart is needed."""

import contextlib
import shutil
import subprocess

import pytest

import archives
from ledger import send
from otlp import a_body, a_span, text
from waiting import eventually
from weir import archive, forward
from wire import Connection, post, request

FILLER = text("filler", "x" * 200_000)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "weir-test", path], capture_output=True, text=True
    )
    if mount.returncode:
        pytest.skip(f"may not mount a file system: {mount.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def fill(path):
    """Leaves no byte free on the file system of this file."""
    with pytest.raises(OSError, match="No space left"), open(path, "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


class Sender:
    """Sends one span after the other and keeps the ids, by whether they were acknowledged."""

    def __init__(self, weir):
        self.weir = weir
        self.taken, self.refused = set(), set()

    def send(self):
        span = a_span(attributes=[FILLER])
        answer = post(self.weir.endpoint, a_body(span))
        if answer.status == 200:
            self.taken.add(span.span_id)
        else:
            assert answer.status == 503 and answer.error(), answer
            assert answer.retry_after() >= 1
            self.refused.add(span.span_id)
        return answer.status

    def until(self, status):
        """Sends until that is the answer."""
        eventually(lambda: self.send() == status, self.weir.log, 30)


def test_a_full_disk_refuses_requests_while_exporters_go_on_and_works_again_when_there_is_room(
    start, small_disk, backend, tmp_path
):
    backend.stop()
    weir = start(
        exporters={"archive": archive("archive"), "otlp_http": forward(backend.url)},
        journal={"directory": str(small_disk / "journal"), "max_bytes": "64MiB", "min_free_bytes": 0},
    )
    sender = Sender(weir)
    sender.until(200)
    fill(small_disk / "ballast")
    sender.until(503)
    assert weir.metric("weir_journal_writable") == 0
    assert "cannot write" in weir.get("/healthz")[2]
    # The archive is on another disk, and its cursor needs no room on this one.
    eventually(lambda: weir.metric("otelcol_exporter_queue_size", exporter="archive") == 0, weir.log)
    eventually(lambda: {found.span.span_id for found in archives.spans(weir.archive)} == sender.taken, weir.log)
    (small_disk / "ballast").unlink()
    sender.until(200)
    assert weir.metric("weir_journal_writable") == 1
    fill(small_disk / "ballast")
    sender.until(503)
    # What was delivered makes room on a disk that is still full.
    backend.start()
    sender.until(200)
    weir.drain()
    weir.stop()
    assert set(backend.taken) == sender.taken
    assert sorted(found.span.span_id for found in archives.spans(weir.archive)) == sorted(sender.taken)


@pytest.mark.parametrize(
    "call, file, error",
    [
        ("fdatasync", ".seg", "EIO"),
        ("posix_fallocate", "/traces/new", "ENOSPC"),
        pytest.param("pwrite", ".seg", "EIO", marks=pytest.mark.torture),
        pytest.param("pwrite", ".seg", "ENOSPC", marks=pytest.mark.torture),
    ],
)
def test_a_disk_that_fails_refuses_requests_and_works_again_when_it_does(
    start, faults, backend, journal, tmp_path, call, file, error
):
    broken = tmp_path / "broken"
    weir = start(
        exporters={"archive": archive("archive"), "otlp_http": forward(backend.url)},
        journal=journal,
        env=faults.at(call, file, error, "1+", condition=broken),
    )
    sender = Sender(weir)
    sender.until(200)
    broken.touch()
    # Room is taken in advance, so that its lack is felt when a segment is full.
    sender.until(503)
    assert sender.send() == 503
    assert weir.metric("weir_journal_writable") == 0
    backend.gets(sender.taken, weir.log)
    broken.unlink()
    sender.until(200)
    weir.drain()
    weir.stop()
    # What was answered with an error is not delivered behind the client's back.
    assert set(backend.taken) == sender.taken
    assert sorted(found.span.span_id for found in archives.spans(weir.archive)) == sorted(sender.taken)


@pytest.mark.parametrize("number", [2, *(pytest.param(number, marks=pytest.mark.torture) for number in [1, 3, 4, 5])])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_one_failure_of_a_disk_loses_nothing_over_a_kill(start, faults, journal, tmp_path, call, number):
    keys = dict(exporters={"archive": archive(tmp_path / "archive")}, journal=journal)
    weir = start(**keys, env=faults.at(call, ".seg", "EIO", number))
    sender = Sender(weir)
    eventually(lambda: sender.send() == 200 and len(sender.taken) > 5, weir.log)
    assert "fault=" in weir.log()
    weir.kill()
    found = [found.span.span_id for found in drained(start(**keys), tmp_path / "archive")]
    assert sorted(found) == sorted(sender.taken | sender.refused & set(found))


def test_a_disk_that_hangs_lets_no_requests_pile_up(start, faults, journal, tmp_path):
    hanging = tmp_path / "hanging"
    keys = dict(exporters={"archive": archive(tmp_path / "archive")}, journal=journal)
    weir = start(**keys, env=faults.at("fdatasync", ".seg", "hang", "1+", condition=hanging))
    spans = send(weir)
    hanging.touch()

    def status():
        with contextlib.suppress(TimeoutError), Connection(weir.endpoint, timeout=0.2) as connection:
            connection.send(request(a_body()))
            return connection.read().status

    assert eventually(status, weir.log) == 503
    assert weir.get("/metrics")[0] == 200
    weir.kill()
    weir = start(**keys)
    assert spans <= {found.span.span_id for found in drained(weir, tmp_path / "archive")}


def removed(journal):
    """At once: what is made there while one file after the other goes would keep the directory."""
    shutil.rmtree(journal.rename(journal.with_name("away")))


def emptied(journal):
    removed(journal)
    (journal / "traces").mkdir(parents=True)


def moved(journal):
    """To another file system, as `mv` and `ln` do it."""
    shutil.copytree(journal, journal.with_name("elsewhere"))
    removed(journal)
    journal.symlink_to("elsewhere")


@pytest.mark.parametrize("durability", ["fsync", "interval", "none"])
@pytest.mark.parametrize("change", [removed, emptied, moved])
def test_nothing_is_answered_200_once_the_journal_is_away(start, journal, backend, tmp_path, change, durability):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal={**journal, "durability": durability})
    weir = start(**keys)
    sender = Sender(weir)
    sender.until(200)
    # Then nothing is made there while others copy and remove.
    eventually(lambda: (tmp_path / "journal" / "traces" / "spare.seg").exists(), weir.log)
    change(tmp_path / "journal")
    for _ in range(3):
        assert sender.send() == 503
    assert weir.metric("weir_journal_writable") == 0
    eventually(lambda: "was removed or replaced while it was open" in weir.get("/healthz")[2], weir.log)
    assert weir.get("/readyz")[0] == 503
    assert sender.send() == 503
    weir.kill()
    backend.start()
    weir = start(**keys)
    sender.weir = weir
    sender.until(200)
    weir.drain()
    weir.stop()
    # What was in the journal when it was removed is gone with it.
    lost = set() if change is moved else sender.taken - set(backend.taken)
    assert set(backend.taken) == sender.taken - lost and len(lost) <= 1


def test_where_a_segment_is_removed_the_journal_goes_on_in_another(start, journal, backend, tmp_path):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    sender = Sender(weir)
    sender.until(200)
    lost = set(sender.taken)
    [segment] = (tmp_path / "journal" / "traces").glob("0*.seg")
    segment.unlink()
    (tmp_path / "journal" / "traces" / "otlp_http.cursor").unlink()
    for _ in range(3):
        assert sender.send() == 200
    assert weir.get("/readyz")[0] == 200
    weir.stop()
    backend.start()
    weir = start(**keys)
    weir.drain()
    assert weir.metric("weir_exporter_missed_records", exporter="otlp_http", reason="missing") == 1
    weir.stop()
    assert set(backend.taken) == sender.taken - lost


def drained(weir, directory):
    """What is archived when nothing is left to do."""
    weir.drain()
    weir.stop()
    return archives.spans(directory)


def test_a_journal_without_room_is_told_before_anybody_sends(start):
    weir = start(ready=False, journal={"min_free_bytes": "16TiB"})
    weir.metrics_endpoint = weir._listening("prometheus")
    eventually(lambda: "the journal cannot write" in weir.get("/healthz")[2], weir.log)
    status, _, said = weir.get("/readyz")
    assert status == 503 and said.startswith("no journal can be written: found ") and "16TiB" in said
    assert weir.get("/healthz")[0] == 200, "to start it again would help nothing"
