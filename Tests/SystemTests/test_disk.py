"""Disks that are full or broken: requests are refused for as long, exporters go on, and no restart is needed."""

import subprocess

import pytest

import archives
from backend import OK
from otlp import a_body, a_span, text
from waiting import eventually
from weir import archive, forward
from wire import post

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


@pytest.mark.parametrize("call, error", [("fdatasync", "EIO"), ("pwrite", "EIO"), ("pwrite", "ENOSPC")])
def test_a_disk_that_fails_refuses_requests_and_works_again_when_it_does(
    start, faults, backend, tmp_path, call, error
):
    broken = tmp_path / "broken"
    weir = start(
        exporters={"archive": archive("archive"), "otlp_http": forward(backend.url)},
        env=faults.at(call, ".seg", error, "1+", condition=broken),
    )
    sender = Sender(weir)
    sender.until(200)
    broken.touch()
    assert sender.send() == 503
    assert sender.send() == 503
    assert weir.metric("weir_journal_writable") == 0
    eventually(lambda: sender.taken <= backend.taken.keys(), weir.log)
    broken.unlink()
    sender.until(200)
    weir.drain()
    weir.stop()
    # What was answered with an error is not delivered behind the client's back.
    assert set(backend.taken) == sender.taken
    assert sorted(found.span.span_id for found in archives.spans(weir.archive)) == sorted(sender.taken)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_one_failure_of_a_disk_loses_nothing_over_a_kill(start, faults, tmp_path, call, number):
    keys = dict(
        exporters={"archive": archive(tmp_path / "archive")}, journal={"directory": str(tmp_path / "journal")}
    )
    weir = start(**keys, env=faults.at(call, ".seg", "EIO", number))
    sender = Sender(weir)
    eventually(lambda: sender.send() == 200 and len(sender.taken) > 5, weir.log)
    assert "fault=" in weir.log()
    weir.kill()
    weir = start(**keys)
    weir.drain()
    weir.stop()
    found = [found.span.span_id for found in archives.spans(tmp_path / "archive")]
    assert sorted(found) == sorted(sender.taken | sender.refused & set(found))


def test_room_that_cannot_be_taken_in_advance_does_not_stop_the_segment_that_there_is(start, faults, tmp_path):
    weir = start(env=faults.at("posix_fallocate", "spare.seg", "ENOSPC", "2+"))
    sender = Sender(weir)
    for _ in range(5):
        assert sender.send() == 200
    assert weir.metric("weir_journal_writable") == 1
