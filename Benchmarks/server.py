"""Compares Weir with a bare NIO server: requests, CPU time, latency and memory. See server.sh for how it is run."""
import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import hostile
import journal
import processes

CONNECTIONS = 64
# A request waits for the group before its own and for its own.
MOST_SYNCS, MOST_MILLISECONDS = 2, 3
# Milliseconds.
PACE = 20
MOST_IDLE_MEBIBYTES = 30


@dataclasses.dataclass(frozen=True)
class Scenario:
    title: str
    body: str
    spans: int
    # CPU microseconds of a span, in all. None: there is no goal.
    goal: float | None
    # And beside the bare server, which keeps nothing: what the journal and everything else costs. Where the machine is too
    # slow for the first goal, this one decides.
    share: float | None = None

    @property
    def content_type(self):
        return "application/json" if ".json" in self.body else "application/x-protobuf"

    @property
    def encoding(self):
        return "gzip" if self.body.endswith(".gz") else "identity"

    def files(self, bodies):
        name, suffix = self.body.split(".", 1)
        return sorted(bodies.glob(f"{name}-*.{suffix}"))


SCENARIOS = [
    Scenario("100 backend spans, protobuf", "backend100.pb", 100, 1.2, 0.5),
    Scenario("100 backend spans, protobuf, gzip", "backend100.pb.gz", 100, None),
    Scenario("100 backend spans, JSON", "backend100.json", 100, None),
    Scenario("100 backend spans, JSON, gzip", "backend100.json.gz", 100, None),
    Scenario("20 LLM spans, protobuf", "llm20.pb", 20, 4, 1.5),
    Scenario("20 LLM spans, protobuf, gzip", "llm20.pb.gz", 20, None),
    Scenario("20 LLM spans, JSON", "llm20.json", 20, None),
    Scenario("one backend span, protobuf", "one.pb", 1, None),
]


@dataclasses.dataclass(frozen=True)
class Round:
    requests_per_second: float
    cpu_per_request: float
    p50: int
    p99: int
    failed: int


def measure(server, scenario, bodies, seconds, pace=0):
    """One run of wrk, whose connections rest `pace` milliseconds between requests. Times are in microseconds."""
    url = f"http://127.0.0.1:{server.port}/v1/traces"
    script = pathlib.Path(__file__).with_name("post.lua")
    before = server.cpu_seconds()
    output = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, url, "--",
         scenario.content_type, scenario.encoding, *scenario.files(bodies)],
        check=True, capture_output=True, text=True, env={**os.environ, "PACE": str(pace)}).stdout
    cpu = (server.cpu_seconds() - before) * 1e6
    said = json.loads(output.splitlines()[-1])
    requests = max(1, said["requests"])
    return Round(requests / said["microseconds"] * 1e6, cpu / requests, said["p50"], said["p99"], said["failed"])


def compare(scenario, weir, bare, options):
    """Rounds in turn, so that what else the machine does hits both. - Returns: whether all is well."""
    for server in (weir, bare):
        measure(server, scenario, options.bodies, 1)
    rounds = [[measure(server, scenario, options.bodies, options.seconds) for server in (weir, bare)]
              for _ in range(options.rounds)]
    print(f"\n{scenario.title}")
    for name, server, runs in [("weir", weir, [pair[0] for pair in rounds]), ("bare", bare, [pair[1] for pair in rounds])]:
        middle = {field.name: statistics.median(getattr(run, field.name) for run in runs)
                  for field in dataclasses.fields(Round)}
        rate, cpu = middle["requests_per_second"], middle["cpu_per_request"]
        print(f"  {name} {rate:9,.0f} requests/s {rate * scenario.spans:11,.0f} spans/s"
              f" {cpu:8.2f} us/request {cpu / scenario.spans:7.3f} us/span"
              f"  p50 {middle['p50'] / 1e3:6.2f} ms  p99 {middle['p99'] / 1e3:6.2f} ms"
              f"  peak {server.mebibytes('VmHWM'):5.1f} MiB")
    # How long a client waits where the processors are not what it waits for.
    paced = scenario.goal and measure(weir, scenario, options.bodies, options.seconds, PACE).p50 / 1e3
    return judge(scenario, rounds, paced, options.sync)


def judge(scenario, rounds, paced, sync):
    failed = sum(run.failed for pair in rounds for run in pair)
    cost = statistics.median(ours.cpu_per_request for ours, _ in rounds) / scenario.spans
    share = statistics.median(ours.cpu_per_request - theirs.cpu_per_request for ours, theirs in rounds) / scenario.spans
    ratio = statistics.median(ours.cpu_per_request / theirs.cpu_per_request for ours, theirs in rounds)
    verdicts, holds = [f"{ratio:.2f} times the bare server, which keeps nothing"], True
    if scenario.goal is not None:
        holds = cost <= scenario.goal or share <= scenario.share
        verdicts += [f"{cost:.3f} us/span, goal {scenario.goal}", f"{share:.3f} more than bare, goal {scenario.share}"]
        most = MOST_SYNCS * sync + MOST_MILLISECONDS
        holds &= paced <= most
        verdicts.append(f"p50 of {CONNECTIONS} clients with rests of {PACE} ms {paced:.2f} ms, goal {most:.2f}, "
                        f"with an fdatasync of {sync:.2f}")
    if failed:
        verdicts.append(f"{failed} requests FAILED")
    print(f"  => {'ok' if holds and not failed else 'NOT OK'}: {'; '.join(verdicts)}")
    return holds and not failed


def speed(options):
    with processes.weir(options.weir) as weir, processes.bare(options.bare) as bare:
        idle = weir.mebibytes("VmRSS")
        well = idle < MOST_IDLE_MEBIBYTES
        print(f"idle: {idle:.1f} MiB resident, goal {MOST_IDLE_MEBIBYTES}: {'holds' if well else 'MISSED'}"
              f" (bare {bare.mebibytes('VmRSS'):.1f})")
        for scenario in SCENARIOS:
            if options.only in scenario.title:
                well &= compare(scenario, weir, bare, options)
        for name in ("otelcol_receiver_refused_spans", "weir_receiver_duplicate_requests"):
            if weir.metric(name):
                print(f"\nNOT OK: {name} is {weir.metric(name):.0f}; an answer without work flatters the figures")
                well = False
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    parser.add_argument("--bare", required=True, help="the program")
    parser.add_argument("--bodies", required=True, type=pathlib.Path, help="what make_bodies.py wrote")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each round and server")
    parser.add_argument("--only", default="", help="scenarios with this in their title; no memory run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options.sync = journal.sync_milliseconds(folder)
    well = speed(options)
    if not options.only:
        well &= journal.three_exporters(options.weir, measure, SCENARIOS[0], options)
        well &= journal.dead_sibling(options.weir, measure, SCENARIOS[0], options)
        well &= journal.catch_up(options.weir, options.bodies)
        well &= hostile.run(options.weir, options.bodies)
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
