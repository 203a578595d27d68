"""What a run costs on its way to a LangSmith server: Weir from its journal, beside LangSmith's own Python client, the same
runs to the same server.

The server keeps nothing. Weir's time is that of its process from the start until all is sent, less a start with nothing to
do; the client's is that of its process from the first run, which is made already, to the end of `flush`: what it does in the
background, and what it does in the caller's thread for that, where it writes the JSON. It sends a run as it does for every
program that it traces, when the run begins and again when it ends. What it would take if it knew runs whole, as Weir does,
stands below that.
"""
import argparse
import http.server
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.request

import processes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "Tests/SystemTests"))
import otlp  # noqa: E402

MOST_MICROSECONDS = 15
LEAST_TIMES_THE_CLIENT = 10
INFO = {"version": "1",
        "batch_ingest_config": {"use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20971520,
                                "scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16,
                                "scale_down_nempty_trigger": 4},
        "instance_flags": {"zstd_compression_enabled": True}}
KEYS = ("{{ endpoint: {url}, api_key: lsv2_sk_bench, requests_per_minute: 1000000, directory: {folder}/langsmith, "
        "trace_grace: 0s{more} }}")
TREE = 5


def serve(port):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            self.reply(200, json.dumps(INFO).encode())

        def do_POST(self):
            length = int(self.headers["content-length"])
            while length:
                length -= len(self.rfile.read(min(length, 1 << 20)))
            self.reply(202, b"{}")

        def reply(self, status, body):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_address[1])
    server.serve_forever()


def words(dice, size):
    text = ""
    while len(text) < size:
        text += dice.choice(["the", "capital", "of", "France", "is", "Paris", "an", "answer", "to", "who", "asks"]) + " "
    return text[:size]


def contents(dice):
    """Inputs and outputs of one call, a kilobyte each."""
    return ([{"role": "user", "content": words(dice, 980)}], [{"role": "assistant", "content": words(dice, 980)}])


def spans(dice):
    """A request with one trace: a root, and calls of a model below it."""
    made = []
    for number in range(TREE):
        trace, own = otlp.new_ids()
        if number:
            trace = made[0].trace_id
        question, answer = contents(dice)
        attributes = {"gen_ai.operation.name": "chat" if number else "invoke_agent", "gen_ai.request.model": "gpt-4o-mini",
                      "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 250, "gen_ai.usage.output_tokens": 250,
                      "gen_ai.prompt": json.dumps({"messages": question}), "gen_ai.completion": json.dumps({"messages": answer})}
        made.append(otlp.a_span(
            trace_id=trace, span_id=own, parent_span_id=made[0].span_id if number else b"", name="call",
            attributes=[otlp.attribute(key, value) for key, value in attributes.items()]))
    return made


def weir_seconds(program, folder, url, bodies, runs):
    """CPU seconds of Weir for all runs, without its start."""
    nobody = KEYS.format(url="http://127.0.0.1:9", folder=folder, more=", retry_on_failure: { initial_interval: 30s }")
    with processes.weir(program, exporters=0, folder=folder, langsmith=nobody) as weir:
        for body in bodies:
            request = urllib.request.Request(f"http://127.0.0.1:{weir.port}/v1/traces", body,
                                             {"Content-Type": "application/x-protobuf"})
            urllib.request.urlopen(request, timeout=30).read()
    keys = KEYS.format(url=url, folder=folder, more="")
    with processes.weir(program, exporters=0, folder=folder, langsmith=keys) as weir:
        start = time.monotonic()
        while weir.metric("otelcol_exporter_sent_spans") < runs:
            assert weir.process.poll() is None, "weir ended"
            # Each answer costs Weir what is measured here.
            time.sleep(0.2)
        busy, seconds = weir.cpu_seconds(), time.monotonic() - start
        assert weir.metric("weir_langsmith_sent_runs") == runs
    with processes.weir(program, exporters=0, folder=folder, langsmith=keys) as weir:
        time.sleep(min(seconds, 2))
        idle = weir.cpu_seconds()
    return busy - idle


CLIENT = """
import random, sys, time, uuid, datetime
sys.path.append(sys.argv[1])
import langsmith as bench
from langsmith import Client
# As langsmith.run_trees.RunTree.patch has them.
SAME = ("name", "run_type", "start_time", "trace_id", "parent_run_id", "dotted_order", "extra")
client = Client(api_url=sys.argv[2], api_key="lsv2_sk_bench")
count, dice = int(sys.argv[3]), random.Random(1)
now = datetime.datetime.now(datetime.timezone.utc)
stamp = now.strftime("%Y%m%dT%H%M%S%fZ")
made = []
for number in range(count):
    if number % TREE == 0:
        root = uuid.uuid4()
        order = f"{stamp}{root}"
    own = root if number % TREE == 0 else uuid.uuid4()
    question, answer = contents(dice)
    made.append(dict(
        id=own, trace_id=root, parent_run_id=None if own == root else root, name="call", run_type="llm", start_time=now,
        dotted_order=order if own == root else f"{order}.{stamp}{own}", end_time=now, project_name="bench",
        inputs={"messages": question}, outputs={"messages": answer, "usage_metadata": {
            "input_tokens": 250, "output_tokens": 250, "total_tokens": 500}},
        extra={"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini"}}))
before = time.process_time()
for run in made:
    if sys.argv[4] == "whole":
        client.create_run(**run)
        continue
    later = {name: run[name] for name in ("end_time", "outputs")}
    client.create_run(**{name: value for name, value in run.items() if name not in later})
    client.update_run(run["id"], session_name=run["project_name"], **later, **{name: run[name] for name in SAME})
client.flush()
print(time.process_time() - before)
"""


def client_seconds(url, runs, way):
    """CPU seconds of the client's process. `way` is `whole` or `twice`."""
    source = pathlib.Path(__file__).read_text()
    parts = [source[source.index(f"def {name}("):].split("\n\n\n")[0] for name in ("words", "contents")]
    program = CLIENT.replace("import langsmith as bench\n", f"TREE = {TREE}\n" + "\n".join(parts) + "\n")
    result = subprocess.run(
        [sys.executable, "-c", program, "/nonexistent", url, str(runs), way], check=True, capture_output=True, text=True, cwd="/",
        env={**os.environ, "LANGSMITH_TRACING": "true"})
    return float(result.stdout.split()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", required=True, help="the program")
    parser.add_argument("--runs", type=int, default=60_000)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    dice = random.Random("langsmith")
    bodies = [otlp.a_body(*[span for _ in range(20) for span in spans(dice)]) for _ in range(options.runs // (20 * TREE))]
    runs = len(bodies) * 20 * TREE
    with tempfile.TemporaryDirectory() as folder:
        weir = weir_seconds(options.weir, folder, url, bodies, runs) / runs * 1e6
    client, whole = (client_seconds(url, runs, way) / runs * 1e6 for way in ("twice", "whole"))
    server.terminate()
    print(f"{runs:,} runs of 1 kB in and 1 kB out, zstd, in CPU microseconds a run")
    print(f"  weir, from its journal         {weir:8.1f}, goal {MOST_MICROSECONDS}: "
          f"{'holds' if weir < MOST_MICROSECONDS else 'MISSED'}")
    times = client / weir
    print(f"  client, its process            {client:8.1f}: {times:.1f} times, goal {LEAST_TIMES_THE_CLIENT}: "
          f"{'holds' if times >= LEAST_TIMES_THE_CLIENT else 'MISSED'}")
    print(f"  client, each run in one piece  {whole:8.1f}: {whole / weir:.1f} times")
    raise SystemExit(0 if weir < MOST_MICROSECONDS and times >= LEAST_TIMES_THE_CLIENT else 1)


if __name__ == "__main__":
    main()
