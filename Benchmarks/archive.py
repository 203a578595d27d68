"""What the archive as Parquet costs: from the journal's bytes to files that readers see, and how large those are beside DuckDB's.

Weir has its spans in the journal already, and catches up. Its time is that of the process, less a start with nothing to do
that is asked as often how far it is.
"""
import argparse
import pathlib
import tempfile
import time

import duckdb

import make_bodies
import processes
import store

LEAST_PER_CORE_SECOND = {"backend": 400_000, "LLM": 25_000}
MOST_OF_DUCKDB = 1.2
# So many that texts that come again are further away than a compressor looks back, and are no dictionary's.
SPANS_OF_VARIANTS = {"backend": 50_000, "LLM": 5_000}
KEYS = "{{ directory: {folder}, format: {format}, max_file_age: 5s, max_file_size: 1GiB }}"


def looks(weir, is_enough):
    """Waits, and asks now and then. - Returns: CPU seconds so far."""
    while not is_enough(weir.metric("otelcol_exporter_sent_spans"), weir.metric("weir_journal_bytes")):
        assert weir.process.poll() is None, "weir ended"
        time.sleep(0.2)
    return weir.cpu_seconds()


def through_weir(options, journal, spans, format, folder):
    """- Returns: CPU seconds, and the most memory in MiB."""
    with store.behind(options.weir, journal, "archive", KEYS.format(folder=folder, format=format)) as weir:
        start = time.monotonic()
        # All is in files that readers see.
        busy = looks(weir, lambda sent, left: sent >= spans and left == 0)
        seconds, memory = time.monotonic() - start, weir.mebibytes("VmHWM")
    with processes.weir(options.weir, exporters=0, archive=KEYS.format(folder=folder / "nothing", format=format)) as weir:
        end = time.monotonic() + seconds
        return busy - looks(weir, lambda *_: time.monotonic() >= end), memory


def beside_duckdb(folder, spans):
    """- Returns: how many times as large as DuckDB's the files with the same rows are."""
    ours = sum(path.stat().st_size for path in (folder / "spans").rglob("*.parquet"))
    sizes = []
    for version in ("V1", "V2"):
        theirs = folder / f"{version}.parquet"
        duckdb.sql(f"""COPY (SELECT * EXCLUDE (tenant, date, hour) FROM '{folder}/spans/*/*/*/*.parquet')
            TO '{theirs}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION {version})""")
        sizes.append(theirs.stat().st_size)
    ratio = ours / min(sizes)
    holds = ratio <= MOST_OF_DUCKDB
    print(f"  {ours / spans:.1f} bytes a span; DuckDB {' and '.join(f'{size / spans:.1f}' for size in sizes)}: "
          f"{ratio:.2f} times, goal {MOST_OF_DUCKDB}: {'holds' if holds else 'MISSED'}")
    return holds


def measure(options, kind, make, per_body, spans):
    bodies = store.Bodies(make, per_body, SPANS_OF_VARIANTS[kind] // per_body)
    spans = -(-spans // per_body) * per_body
    print(f"\n{spans:,} {kind} spans")
    with tempfile.TemporaryDirectory() as journal, tempfile.TemporaryDirectory() as root:
        store.fill(options.weir, journal, bodies, spans)
        well = True
        for format in ("otlp_proto", "parquet"):
            folder = pathlib.Path(root) / format
            cpu, memory = through_weir(options, pathlib.Path(journal), spans, format, folder)
            rate, goal = spans / cpu, LEAST_PER_CORE_SECOND[kind]
            holds = format != "parquet" or rate >= goal
            said = f", goal {goal:,}: {'holds' if holds else 'MISSED'}" if format == "parquet" else ""
            print(f"  {format}: {rate:,.0f} spans per core-second, {memory:.0f} MiB at most{said}")
            well &= holds
        return well & beside_duckdb(folder, spans)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    parser.add_argument("--spans", type=int, default=1_000_000, help="of a web backend, about 760 bytes each; 0 for none")
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
