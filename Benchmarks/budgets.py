"""What it costs to ask, before a call, whether a budget allows it: with 10,000 users who have spent something, over one connection."""
import argparse
import contextlib
import http.client
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

import processes

USERS = 10_000
PER_REQUEST = 500
CHECKS = 5_000
# CPU time of Weir for a check, and the time until half of the answers; the slowest are those of the machine, and shown.
MOST_CPU_MILLISECONDS = 1
MOST_MILLISECONDS = 1
CONFIGURATION = """\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0 }} }} }}
processors:
  cost:
    prices: {prices}
    budgets:
      - {{ scope: tenant, window: day, soft: 1, hard: 1000000 }}
      - {{ scope: user, window: hour, hard: 1000 }}
      - {{ scope: user, window: day, soft: 1, hard: 10000, top: 10 }}
      - {{ scope: agent, window: month, hard: 100000 }}
exporters:
  sqlite: {{ directory: {folder}/hot }}
service:
  journal: {{ directory: {folder}/journal, max_bytes: 1GiB }}
  operations: {{ endpoint: 127.0.0.1:0 }}
  pipelines:
    traces: {{ receivers: [otlp], processors: [cost], exporters: [sqlite] }}
"""


def call(dice, user, now):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "user.id": f"user-{user}", "gen_ai.agent.name": "planner"}
    counts = {"gen_ai.usage.input_tokens": dice.randrange(100, 9000), "gen_ai.usage.output_tokens": dice.randrange(10, 900)}
    return {
        "traceId": dice.randbytes(16).hex(), "spanId": dice.randbytes(8).hex(), "name": "chat",
        "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1000),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
        + [{"key": key, "value": {"intValue": str(value)}} for key, value in counts.items()],
    }


def spend(port):
    dice, now = random.Random("budgets"), time.time_ns()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for first in range(0, USERS, PER_REQUEST):
            spans = [call(dice, user, now) for user in range(first, first + PER_REQUEST)]
            connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status


def check(connection, user):
    connection.request("GET", f"/api/v1/budgets/check?user=user-{user}&agent=planner")
    answer = connection.getresponse()
    return answer.status, answer.read()


def is_read(connection):
    """Whether all that was spent is known: the last user is."""
    status, body = check(connection, USERS - 1)
    return status == 200 and any(float(budget.get("spent") or 0) > 0 for budget in json.loads(body)["budgets"] if budget["name"] == "user-day")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    options = parser.parse_args()
    prices = pathlib.Path(__file__).resolve().parents[1] / "prices.yaml"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        (folder / "bench.yaml").write_text(CONFIGURATION.format(folder=folder, prices=json.dumps(str(prices))))
        log = stack.enter_context((folder / "log").open("wb"))
        process = stack.enter_context(processes.stopped_at_the_end(
            subprocess.Popen([options.weir, "run", "--config", folder / "bench.yaml"], stderr=log)))
        spend(processes.port(folder / "log", "otlp/http"))
        connection = stack.enter_context(contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", processes.port(folder / "log", "operations"), timeout=30)))
        deadline = time.monotonic() + 60
        while not is_read(connection):
            assert process.poll() is None and time.monotonic() < deadline, "what was spent was not read"
            time.sleep(0.1)
        # What Weir does besides, reading the sums each second, is measured and taken off.
        idle, began = processes.cpu_seconds(process.pid), time.monotonic()
        time.sleep(5)
        idle = (processes.cpu_seconds(process.pid) - idle) / (time.monotonic() - began)
        dice, waits = random.Random("checks"), []
        before, began = processes.cpu_seconds(process.pid), time.monotonic()
        for _ in range(CHECKS):
            start = time.perf_counter()
            status, _ = check(connection, dice.randrange(USERS))
            waits.append((time.perf_counter() - start) * 1e3)
            assert status == 200, status
        cpu = processes.cpu_seconds(process.pid) - before - idle * (time.monotonic() - began)
        cpu = max(0, cpu) / CHECKS * 1e3
        late = statistics.quantiles(waits, n=100)[98]
        middle = statistics.median(waits)
        well = cpu <= MOST_CPU_MILLISECONDS and middle <= MOST_MILLISECONDS
        print(f"\na check of four budgets, {USERS:,} users: {cpu:.3f} ms of CPU, half are answered in {middle:.3f} ms, "
              f"99 of 100 in {late:.3f} ms, goal for both {MOST_MILLISECONDS}: {'holds' if well else 'MISSED'}")
        raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
