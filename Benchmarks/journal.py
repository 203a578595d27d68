"""What the journal costs: the disk's own pace, three exporters instead of one, and catching up after a long outage."""
import mmap
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import processes

BACKLOG_BYTES = 1 << 30
LEAST_MEGABYTES_PER_SECOND = 500
MOST_FOR_TWO_MORE_EXPORTERS = 0.3
MOST_LOST_TO_A_DEAD_SIBLING = 0.05
BLOCK = 64 << 10
# Nothing listens there.
NOBODY = "http://127.0.0.1:9"


def sync_milliseconds(folder):
    """The median time of one fdatasync after 64 KiB were written around the page cache, into room that is taken."""
    path = pathlib.Path(folder) / "sync"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    os.posix_fallocate(descriptor, 0, 256 * BLOCK)
    os.close(descriptor)
    descriptor = os.open(path, os.O_RDWR | os.O_DIRECT)
    # Memory from mmap begins at a page, as direct writes want it.
    block = mmap.mmap(-1, BLOCK)
    block.write(b"x" * BLOCK)
    times = []
    for index in range(256):
        os.pwrite(descriptor, block, index * BLOCK)
        start = time.monotonic()
        os.fdatasync(descriptor)
        times.append((time.monotonic() - start) * 1e3)
    os.close(descriptor)
    path.unlink()
    return statistics.median(times)


def three_exporters(program, measure, scenario, options):
    """- Returns: whether two more exporters cost little."""
    with processes.weir(program, exporters=1) as one, processes.weir(program, exporters=3) as three:
        for server in (one, three):
            measure(server, scenario, options.bodies, 1)
        rounds = [[measure(server, scenario, options.bodies, options.seconds) for server in (one, three)]
                  for _ in range(options.rounds)]
    more = statistics.median(b.cpu_per_request - a.cpu_per_request for a, b in rounds) / scenario.spans
    holds = more <= MOST_FOR_TWO_MORE_EXPORTERS
    print(f"\nthree exporters instead of one: {more:+.3f} us/span, goal {MOST_FOR_TWO_MORE_EXPORTERS}: "
          f"{'holds' if holds else 'MISSED'}")
    return holds


def dead_sibling(program, measure, scenario, options):
    """- Returns: whether an exporter whose destination is down leaves the others their throughput."""
    with processes.weir(program) as alone, processes.weir(program, destination=NOBODY) as beside:
        for server in (alone, beside):
            measure(server, scenario, options.bodies, 1)
        rounds = [[measure(server, scenario, options.bodies, options.seconds) for server in (alone, beside)]
                  for _ in range(options.rounds)]
    lost = 1 - statistics.median(b.requests_per_second / a.requests_per_second for a, b in rounds)
    holds = lost < MOST_LOST_TO_A_DEAD_SIBLING
    print(f"\nbeside an exporter whose destination is down: {lost:+.1%} of the throughput lost, goal "
          f"{MOST_LOST_TO_A_DEAD_SIBLING:.0%}: {'holds' if holds else 'MISSED'}")
    return holds


def fill(program, folder, bodies):
    """Leaves a journal of 1 GiB behind whose exporter has got nothing. - Returns: its spans."""
    files = sorted(bodies.glob("backend100-*.pb"))
    script = pathlib.Path(__file__).with_name("post.lua")
    with processes.weir(program, exporters=0, folder=folder, destination=NOBODY) as weir:
        while weir.metric("weir_journal_bytes") < BACKLOG_BYTES:
            subprocess.run(["wrk", "-t1", "-c64", "-d1s", "-s", script, f"http://127.0.0.1:{weir.port}/v1/traces", "--",
                            "application/x-protobuf", "identity", *files], check=True, capture_output=True)
        return weir.metric("otelcol_exporter_queue_size"), weir.metric("weir_journal_bytes")


def catch_up(program, bodies):
    """- Returns: whether an exporter that does nothing reads a backlog of 1 GiB fast enough."""
    with tempfile.TemporaryDirectory() as folder:
        spans, size = fill(program, folder, bodies)
        # The exporter that takes it all stands where the one that took nothing stood.
        journal = pathlib.Path(folder) / "journal/traces"
        (journal / "otlp_http.cursor").rename(journal / "debug.cursor")
        start = time.monotonic()
        with processes.weir(program, folder=folder) as weir:
            ready = time.monotonic() - start
            while weir.metric("otelcol_exporter_queue_size") > 0:
                time.sleep(0.01)
            seconds = time.monotonic() - start - ready
            cpu = weir.cpu_seconds()
    rate = size / 1e6 / seconds
    holds = rate >= LEAST_MEGABYTES_PER_SECOND
    print(f"\ncatching up with {size / 2**30:.2f} GiB, {spans:,.0f} spans: ready after {ready:.2f} s, then {seconds:.2f} s, "
          f"{rate:,.0f} MB/s, {cpu / spans * 1e6:.3f} us/span; goal {LEAST_MEGABYTES_PER_SECOND} MB/s: "
          f"{'holds' if holds else 'MISSED'}")
    return holds
