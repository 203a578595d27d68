"""Compares Weir with a bare NIO server: requests, CPU time, latency and memory. See server.sh for how it is run."""
import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess

import hostile
import processes

CONNECTIONS = 16
# "prints the ratio: at most 1.5": where an absolute goal is missed on a noisy machine, the ratio decides.
MOST_TIMES_BARE = 1.5
MOST_IDLE_MEBIBYTES = 30


@dataclasses.dataclass(frozen=True)
class Scenario:
    title: str
    body: str
    spans: int
    # CPU microseconds: of a span, or of a request where it has one span. None: there is no goal but the ratio.
    goal: float | None

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
    Scenario("100 backend spans, protobuf", "backend100.pb", 100, 0.45),
    Scenario("100 backend spans, protobuf, gzip", "backend100.pb.gz", 100, 0.7),
    Scenario("100 backend spans, JSON", "backend100.json", 100, 1.0),
    Scenario("100 backend spans, JSON, gzip", "backend100.json.gz", 100, None),
    Scenario("20 LLM spans, protobuf", "llm20.pb", 20, 2.5),
    Scenario("20 LLM spans, protobuf, gzip", "llm20.pb.gz", 20, 7),
    Scenario("20 LLM spans, JSON", "llm20.json", 20, None),
    Scenario("one backend span, protobuf", "one.pb", 1, 16),
]


@dataclasses.dataclass(frozen=True)
class Round:
    requests_per_second: float
    cpu_per_request: float
    p50: int
    p99: int
    failed: int


def measure(server, scenario, bodies, seconds):
    """One run of wrk. Times are in microseconds."""
    url = f"http://127.0.0.1:{server.port}/v1/traces"
    script = pathlib.Path(__file__).with_name("post.lua")
    before = server.cpu_seconds()
    output = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, url, "--",
         scenario.content_type, scenario.encoding, *scenario.files(bodies)],
        check=True, capture_output=True, text=True).stdout
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
    return judge(scenario, rounds)


def judge(scenario, rounds):
    failed = sum(run.failed for pair in rounds for run in pair)
    ratio = statistics.median(ours.cpu_per_request / theirs.cpu_per_request for ours, theirs in rounds)
    cost = statistics.median(ours.cpu_per_request for ours, _ in rounds) / scenario.spans
    verdicts = [f"ratio {ratio:.2f}, goal {MOST_TIMES_BARE}: {'holds' if ratio <= MOST_TIMES_BARE else 'MISSED'}"]
    holds = ratio <= MOST_TIMES_BARE
    if scenario.goal is not None:
        within = cost <= scenario.goal
        holds = holds or within
        verdicts.insert(0, f"{cost:.3f} us, goal {scenario.goal}: {'holds' if within else 'missed'}")
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
        refused = weir.metric("otelcol_receiver_refused_spans")
        if refused:
            print(f"\nwarning: {refused:.0f} spans were refused; a refusal is cheap, so the figures flatter")
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
    well = speed(options)
    if not options.only:
        well &= hostile.run(options.weir, options.bodies)
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
