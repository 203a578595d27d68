"""What sampling costs: CPU time of a span with and without it, in turn, in one run; memory and delay of open traces."""
import argparse
import concurrent.futures
import http.client
import pathlib
import random
import re
import statistics
import time
import urllib.request

import make_bodies
import processes
import server
import store

# CPU microseconds of a span.
MOST_AT_THE_HEAD, MOST_AT_THE_TAIL = 0.05, 1.5
MOST_OPEN_MEBIBYTES, OPEN_SPANS = 400, 2_000_000
MOST_SECONDS_LATE, LATE_SPANS_PER_SECOND = 0.1, 50_000
SPANS = 100
CLIENTS = 8

# The example of docs/examples/sampling.yaml; of what no other rule is for, the part that is kept varies.
RULES = """{{ rules: [
      {{ name: staging, when: 'resource["deployment.environment.name"] == "staging"', probability: 1 }},
      {{ name: llm, when: 'attributes["gen_ai.request.model"] != nil or attributes["gen_ai.usage.input_tokens"] != nil',
        probability: 1 }},
      {{ name: ui, when: 'resource["service.name"] == "web-ui" or attributes["event.domain"] == "browser"',
        probability: 0.2, key: session.id }},
      {{ name: rest, probability: {0} }} ] }}"""
# Keeps about a seventh of the traces.
POLICIES = """policies: [
      { name: errors, type: condition, condition: { span: ['status == error and duration > 950ms'] } },
      { name: route, type: string_attribute, string_attribute: { key: http.route, values: [/nowhere] } },
      { name: money, type: cost, cost: { full_usd: 0.05, floor_percentage: 5 } },
      { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } } ]"""


def say(title, value, goal, holds):
    print(f"{title}: {value}, goal {goal}: {'holds' if holds else 'MISSED'}")
    return holds


def head(options):
    """- Returns: whether rules at the head cost little, whatever part they keep."""
    scenario, well = server.SCENARIOS[0], True
    for part in (1, 0.05):
        with processes.weir(options.weir) as plain, \
                processes.weir(options.weir, processors={"sampling": RULES.format(part)}) as sampling:
            for one in (plain, sampling):
                server.measure(one, scenario, options.bodies, 1)
            rounds = [[server.measure(one, scenario, options.bodies, options.seconds) for one in (plain, sampling)]
                      for _ in range(options.rounds)]
        more = statistics.median(b.cpu_per_request - a.cpu_per_request for a, b in rounds) / SPANS
        ratio = statistics.median(b.cpu_per_request / a.cpu_per_request for a, b in rounds)
        well &= say(f"head sampling that keeps {part:.0%}", f"{more:+.3f} us/span, {ratio:.2f} times the pipeline without it",
                    MOST_AT_THE_HEAD, more <= MOST_AT_THE_HEAD)
    return well


class Client:
    """Sends requests of which no two have a trace in common."""

    def __init__(self, weir, number):
        self.connection = http.client.HTTPConnection("127.0.0.1", weir.port)
        self.bodies = store.Bodies(make_bodies.backend, SPANS)
        self.bodies.random = random.Random(f"sampling-{number}")

    def send(self, requests, pace):
        """`pace` is the seconds from one request to the next."""
        start = time.monotonic()
        for number in range(requests):
            self.connection.request("POST", "/v1/traces", self.bodies.next(), {"Content-Type": "application/x-protobuf"})
            answer = self.connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            time.sleep(max(0, start + (number + 1) * pace - time.monotonic()))


def load(weir, spans, rate):
    """Sends so many spans, so many a second. - Returns: the seconds it took."""
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        clients = [Client(weir, number) for number in range(CLIENTS)]
        for done in [pool.submit(one.send, spans // SPANS // CLIENTS, SPANS * CLIENTS / rate) for one in clients]:
            done.result()
    return time.monotonic() - start


def delivered(weir, stage):
    """Waits until nothing is under way."""
    names = ["otelcol_exporter_queue_size"] + ["weir_tail_sampling_waiting_records"] * stage
    while any(weir.metric(name) for name in names):
        time.sleep(0.1)


def delays(weir):
    """How many decisions were made, and how many of them in time."""
    with urllib.request.urlopen(f"http://127.0.0.1:{weir.metrics_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    name = "weir_tail_sampling_decision_delay_seconds"
    within = {float(bound): float(count) for bound, count in re.findall(rf'{name}_bucket.*le="([0-9.]+)".*}} (\S+)', text)}
    return weir.metric(f"{name}_count"), within[MOST_SECONDS_LATE]


def tail(options):
    """- Returns: whether the stage costs little and decides in time."""
    spans = options.tail_spans
    costs = []
    for _ in range(options.rounds):
        pair = []
        for stage in (False, True):
            keys = {"tail_sampling": "{ decision_wait_after_root_received: 1s, decision_wait: 5s,\n    " + POLICIES + " }"}
            with processes.weir(options.weir, processors=keys if stage else {}) as weir:
                before = weir.cpu_seconds()
                took = load(weir, spans, LATE_SPANS_PER_SECOND)
                delivered(weir, stage)
                pair.append((weir.cpu_seconds() - before) / spans * 1e6)
                if stage:
                    decided, in_time = delays(weir)
        costs.append(pair)
        print(f"  {spans / took:,.0f} spans/s: {pair[0]:.2f} us/span without the stage, {pair[1]:.2f} with it; "
              f"{decided:,.0f} traces decided, {decided - in_time:,.0f} of them too late")
    more = statistics.median(b - a for a, b in costs)
    ratio = statistics.median(b / a for a, b in costs)
    well = say("tail sampling, end to end", f"{more:+.2f} us/span, {ratio:.2f} times the pipeline without it",
               MOST_AT_THE_TAIL, more <= MOST_AT_THE_TAIL)
    return say("decisions that came later than 100 ms after they were due", f"{decided - in_time:,.0f} of {decided:,.0f}", 0,
               decided == in_time) and well


def memory(options):
    """- Returns: whether many spans of open traces take little memory."""
    keys = "{ decision_wait: 1h, decision_wait_after_root_received: 1h, num_traces: 1000000, copy_forward_after: 1h,\n    "
    with processes.weir(options.weir, processors={"tail_sampling": keys + POLICIES + " }"}) as weir:
        load(weir, options.open_spans, 10**9)
        while weir.metric("weir_tail_sampling_waiting_records") < options.open_spans / SPANS:
            time.sleep(0.1)
        resident, peak = weir.mebibytes("VmRSS"), weir.mebibytes("VmHWM")
        traces = weir.metric("otelcol_processor_tail_sampling_sampling_traces_on_memory")
        kept = weir.metric("weir_tail_sampling_memory_bytes") / 2**20
    return say(f"{options.open_spans:,} spans in {traces:,.0f} open traces",
               f"{resident:.0f} MiB resident, {peak:.0f} at most, {kept:.0f} for the traces", MOST_OPEN_MEBIBYTES,
               peak <= MOST_OPEN_MEBIBYTES)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    parser.add_argument("--bodies", required=True, type=pathlib.Path, help="what make_bodies.py wrote")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each round at the head")
    parser.add_argument("--tail-spans", type=int, default=500_000, help="of each round at the tail")
    parser.add_argument("--open-spans", type=int, default=OPEN_SPANS)
    parser.add_argument("--only", choices=["head", "tail", "memory"])
    options = parser.parse_args()
    parts = {"head": head, "tail": tail, "memory": memory}
    well = [parts[name](options) for name in parts if options.only in (None, name)]
    raise SystemExit(0 if all(well) else 1)


if __name__ == "__main__":
    main()
