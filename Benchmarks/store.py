"""What the hot tables cost: PostgreSQL beside a loader that sends rows which are ready, SQLite, and looking up a trace.

PostgreSQL is started on a temporary folder and a free port. Weir has its spans in the journal already, and catches up.
"""
import argparse
import contextlib
import http.client
import itertools
import os
import pathlib
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import make_bodies
import processes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "Tests/SystemTests"))
import postgres  # noqa: E402
import tables  # noqa: E402

LEAST_OF_THE_LOADER = 0.85
LEAST_PER_CORE_SECOND = 60_000
MOST_MILLISECONDS_A_TRACE = 5
# What is in memory of two batches, their rows, and the newest of the journal.
MOST_MEBIBYTES = 384
# Stored spans per CPU second, measured on two cores as well: 5.8 to 7.6 ms and 0.87 to 0.90 ms a span.
PEERS = {"Phoenix, SQLite": 1000 / 5.8, "MLflow, SQLite": 1000 / 0.87}
LEAST_TIMES_A_PEER = 5
# Nothing listens there.
NOBODY = "{ endpoint: http://127.0.0.1:9, compression: none, retry_on_failure: { initial_interval: 30s } }"
# What a transaction writes, in its order; some more rows are none to speak of.
TABLES = ["spans", "llm_usage", "cost_ledger", "span_rollups"]
VARIANTS = 16
LOOK_UPS = 200
# Nanoseconds between the start of a span and its request, at most.
LATEST = 10 * 10**9


class Bodies:
    """Requests of which no two have an id in common, of a response neither: bodies that are made once, with new ids and
    times put in. Their texts come again after so many requests as there are variants."""

    def __init__(self, make, spans, variants=VARIANTS):
        self.spans = spans
        self.random = random.Random("store")
        self.bodies = itertools.cycle([self._prepared(make(random.Random(f"store-{index}"), spans))
                                       for index in range(variants)])

    @staticmethod
    def _prepared(request):
        """The body, where it has the ids and times of its spans, and where the ids of responses."""
        body = bytearray(request.SerializeToString())
        places, offset = [], 0
        for span in request.resource_spans[0].scope_spans[0].spans:
            trace = body.index(span.trace_id, offset)
            own = body.index(span.span_id, trace)
            start = body.index(struct.pack("<Q", span.start_time_unix_nano), own)
            end = body.index(struct.pack("<Q", span.end_time_unix_nano), start)
            places.append((span.trace_id, trace, own, start, end, span.end_time_unix_nano - span.start_time_unix_nano))
            offset = end
        return body, places, [match.end() for match in re.finditer(b"chatcmpl-(?=[0-9a-f]{24})", body)]

    def next(self):
        body, places, responses = next(self.bodies)
        now = time.time_ns()
        traces = {}
        for old, trace, own, start, end, duration in places:
            body[trace:trace + 16] = traces.setdefault(old, self.random.randbytes(16))
            body[own:own + 8] = self.random.randbytes(8)
            began = now - self.random.randrange(LATEST)
            body[start:start + 8] = struct.pack("<Q", began)
            body[end:end + 8] = struct.pack("<Q", began + duration)
        for response in responses:
            body[response:response + 24] = self.random.randbytes(12).hex().encode()
        return body


def fill(program, folder, bodies, spans):
    """Leaves a journal behind whose spans nobody has got. - Returns: the CPU seconds that took."""
    with processes.weir(program, exporters=0, folder=folder, otlp_http=NOBODY) as weir:
        connection = http.client.HTTPConnection("127.0.0.1", weir.port)
        for _ in range(-(-spans // bodies.spans)):
            connection.request("POST", "/v1/traces", bodies.next(), {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        return weir.cpu_seconds()


@contextlib.contextmanager
def behind(program, journal, exporter, keys):
    """Weir as it begins to catch up with a copy of a journal, for an exporter that stands at its beginning."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copytree(journal / "journal", folder / "journal")
        (folder / "journal/traces/otlp_http.cursor").rename(folder / f"journal/traces/{exporter}.cursor")
        # What the copy left to be written would be in the way of what is measured.
        os.sync()
        with processes.weir(program, exporters=0, folder=folder, **{exporter: keys}) as weir:
            yield weir


def caught_up(weir, spans):
    """Waits until all is stored. - Returns: seconds."""
    start = time.monotonic()
    while weir.metric("otelcol_exporter_sent_spans") < spans:
        assert weir.process.poll() is None, "weir ended"
        # Each look costs Weir as much as some rows.
        time.sleep(0.05)
    return time.monotonic() - start


class Run:
    """Rows that went somewhere."""

    def __init__(self, title, rows, seconds, **cpu):
        self.title, self.rows, self.seconds, self.cpu = title, rows, seconds, cpu

    @property
    def rate(self):
        return self.rows / self.seconds

    def __str__(self):
        cpu = "".join(f"  {name} {seconds / self.rows * 1e6:6.2f} us/row" for name, seconds in self.cpu.items())
        return f"  {self.title:24} {self.rate:9,.0f} rows/s{cpu}"


def through_weir(options, cluster, database, journal, spans):
    """Weir into fresh tables. - Returns: the run, and the most that Weir had of memory in MiB."""
    keys = f"{{ connection: \"{database.connection(host=cluster.directory)}\", schema: weir }}"
    with processes.weir(options.weir, exporters=0, postgres=keys):
        # The tables and the partitions of the days to come, which are no part of what a row costs.
        partitions = "SELECT count(*) FROM pg_inherits JOIN pg_class c ON c.oid = inhparent WHERE relkind = 'p'"
        while database.sql(partitions)[0][0] < len(TABLES) * 4:
            time.sleep(0.05)
    with behind(options.weir, journal, "postgres", keys) as weir:
        before = wal(cluster)
        seconds = caught_up(weir, spans)
        database.wal = wal(cluster) - before
        backends = cluster.sql("SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = %s",
                               [database.name, database.role])
        server = sum(processes.cpu_seconds(pid) for pid, in backends)
        return Run("weir, from its journal", spans, seconds, server=server, weir=weir.cpu_seconds()), weir.mebibytes("VmHWM")


def wal(cluster):
    """Bytes that were ever logged."""
    return cluster.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0][0]


def through_loader(loader, cluster, model, rows, transactions):
    """The rows of one database into the empty tables of another that are the same otherwise."""
    database = cluster.database()
    dump = subprocess.run([postgres.program("pg_dump"), "-h", cluster.directory, "-p", str(cluster.port), "-U", "postgres",
                           "--schema-only", "--no-owner", model.name], check=True, capture_output=True).stdout
    psql = [postgres.program("psql"), "-q", "-h", cluster.directory, "-p", str(cluster.port), "-U", "postgres"]
    subprocess.run([*psql, "-v", "ON_ERROR_STOP=1", database.name], input=dump, check=True, stdout=subprocess.DEVNULL)
    os.sync()
    copies = [part for path in rows for part in (f"COPY weir.{path.name} FROM STDIN (FORMAT binary)", path)]
    out = subprocess.run([loader, f"host={cluster.directory} port={cluster.port} user=postgres dbname={database.name}",
                          str(transactions), *copies], check=True, capture_output=True, text=True).stdout
    count, seconds, cpu = out.split()
    drop(cluster, database)
    return Run("loader, rows ready", int(count), float(seconds), server=float(cpu))


def write_rows(database, path):
    """The rows of a table in the order in which they were written."""
    with database.session() as connection, path.open("wb") as file:
        connection.execute("SET synchronize_seqscans = off")
        with connection.cursor().copy(f"COPY (SELECT * FROM {path.name}) TO STDOUT (FORMAT binary)") as copy:
            for block in copy:
                file.write(block)


def drop(cluster, database):
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")
    cluster.sql("CHECKPOINT")


def in_postgres(options, cluster, journal, spans, received):
    """- Returns: the database with the rows, and whether all is well."""
    loader = pathlib.Path(__file__).parent / ".build/loader"
    loader.parent.mkdir(exist_ok=True)
    include = subprocess.run(["pg_config", "--includedir"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{include}", "-o", loader,
                    pathlib.Path(__file__).with_name("loader.c"), "-lpq"], check=True)
    # The server's first rows go into files that it has to make.
    database, pairs = cluster.database(), []
    through_weir(options, cluster, database, journal, spans)
    with tempfile.TemporaryDirectory() as folder:
        rows = [pathlib.Path(folder) / name for name in TABLES]
        for _ in range(options.rounds):
            drop(cluster, database)
            database = cluster.database()
            ours, memory = through_weir(options, cluster, database, journal, spans)
            for path in rows:
                write_rows(database, path)
            ((stored, transactions),) = database.sql("SELECT count(*), count(DISTINCT xmin::text) FROM spans")
            assert stored == spans, f"{stored} rows of {spans} spans"
            cluster.sql("CHECKPOINT")
            theirs = through_loader(loader, cluster, database, rows, transactions)
            print(ours, theirs, sep="\n")
            pairs.append((ours, theirs))
    ratio = statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)
    holds = ratio >= LEAST_OF_THE_LOADER and memory <= MOST_MEBIBYTES
    print(f"  => {round(stored / transactions):,} rows a transaction, {memory:.1f} MiB at most, goal {MOST_MEBIBYTES}; "
          f"{ratio:.2f} of the loader's rate, goal {LEAST_OF_THE_LOADER}: {'holds' if holds else 'MISSED'}")
    ours = pairs[-1][0]
    return database, holds & beside_peers("postgres", spans, received + sum(ours.cpu.values()))


def in_sqlite(options, journal, spans, received, folder):
    """- Returns: whether it is fast enough."""
    keys = f"{{ directory: {folder} }}"
    with behind(options.weir, journal, "sqlite", keys) as weir:
        seconds = caught_up(weir, spans)
        run, memory = Run("sqlite", spans, seconds, weir=weir.cpu_seconds()), weir.mebibytes("VmHWM")
    rate = spans / run.cpu["weir"]
    holds = (options.kind != "backend" or rate >= LEAST_PER_CORE_SECOND) and memory <= MOST_MEBIBYTES
    print(run)
    goal = f", goal {LEAST_PER_CORE_SECOND:,}: {'holds' if holds else 'MISSED'}" if options.kind == "backend" else ""
    print(f"  => {memory:.1f} MiB at most; {rate:,.0f} spans per core-second{goal}")
    return holds & beside_peers("sqlite", spans, received + run.cpu["weir"])


def beside_peers(store, spans, cpu):
    """From the request to the row, on every process's clock. - Returns: whether it is several times what peers do."""
    rate = spans / cpu
    print(f"  {store}: {rate:,.0f} spans stored per CPU second, reception included: "
          + ", ".join(f"{rate / peer:,.0f} times {name}" for name, peer in PEERS.items()))
    return all(rate >= LEAST_TIMES_A_PEER * peer for peer in PEERS.values())


def sizes(database, folder, spans):
    """What a span takes on disk."""
    ((heap, indexes, toast),) = database.sql(
        """SELECT sum(pg_relation_size(oid)), sum(pg_indexes_size(oid)), sum(coalesce(pg_relation_size(reltoastrelid), 0))
           FROM pg_class WHERE relname LIKE 'spans_%' AND relkind = 'r'""")
    ((rest,),) = database.sql("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname NOT LIKE "
                              "'spans\\_%' AND relnamespace = 'weir'::regnamespace")
    files = sum(path.stat().st_size for path in pathlib.Path(folder).iterdir())
    print(f"  bytes a span: PostgreSQL {(heap + indexes + toast + rest) / spans:,.0f} (rows {heap / spans:,.0f}, indexes "
          f"{indexes / spans:,.0f}, long values {toast / spans:,.0f}, other tables {rest / spans:,.0f}; WAL "
          f"{database.wal / spans:,.0f}), "
          f"SQLite {files / spans:,.0f}")


def look_up(database, folder):
    """Reads whole traces over connections that are open. - Returns: whether that is fast in both stores."""
    traces = [row[0] for row in database.sql("SELECT DISTINCT trace_id FROM spans TABLESAMPLE BERNOULLI (1) LIMIT %s",
                                             [LOOK_UPS])]
    database.sql("ANALYZE")
    with database.session() as connection:
        times = {"PostgreSQL": timed(traces, lambda trace: connection.execute(
            "SELECT * FROM spans WHERE tenant_id = 1 AND trace_id = %s ORDER BY start_time", [trace]).fetchall())}
    days = [tables.reader(path) for path in tables.day_files(folder)]
    times["SQLite"] = timed(traces, lambda trace: [row for day in days for row in day.execute(
        "SELECT * FROM spans WHERE trace_id = ? AND tenant_id = 1 ORDER BY start_time", [trace.bytes]).fetchall()])
    for day in days:
        day.close()
    holds = max(times.values()) < MOST_MILLISECONDS_A_TRACE
    print(f"  trace by id, median of {len(traces)} over an open connection: "
          + ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in times.items())
          + f"; goal {MOST_MILLISECONDS_A_TRACE} ms: {'holds' if holds else 'MISSED'}")
    return holds


def timed(traces, read):
    milliseconds = []
    for trace in traces:
        start = time.monotonic()
        assert read(trace)
        milliseconds.append((time.monotonic() - start) * 1e3)
    return statistics.median(milliseconds)


def measure(options, kind, make, per_body, spans):
    options.kind = kind
    bodies = Bodies(make, per_body)
    spans = -(-spans // per_body) * per_body
    with tempfile.TemporaryDirectory() as journal, tempfile.TemporaryDirectory() as hot:
        received = fill(options.weir, journal, bodies, spans)
        print(f"\n{spans:,} {kind} spans")
        # As a server for this would be set up: room between checkpoints, memory for the indexes of a day.
        cluster = postgres.Cluster(shared_buffers="1GB", max_wal_size="16GB", checkpoint_timeout="30min")
        try:
            database, well = in_postgres(options, cluster, pathlib.Path(journal), spans, received)
            well &= in_sqlite(options, pathlib.Path(journal), spans, received, hot)
            sizes(database, hot, spans)
            well &= look_up(database, hot)
        finally:
            cluster.close()
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=3, help="of Weir and the loader")
    parser.add_argument("--spans", type=int, default=200_000, help="of a web backend, about 760 bytes each; 0 for none")
    parser.add_argument("--llm-spans", type=int, default=40_000, help="of LLM calls, about 6 kB each; 0 for none")
    options = parser.parse_args()
    well = True
    if options.spans:
        well &= measure(options, "backend", make_bodies.backend, 100, options.spans)
    if options.llm_spans:
        well &= measure(options, "LLM", make_bodies.llm, 20, options.llm_spans)
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
