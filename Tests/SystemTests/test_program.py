"""The program as an operator meets it: start, signals, logs, metrics."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

import archives
import prometheus
from otlp import COMPRESSIONS, a_body, a_span, request_json, span_json
from waiting import eventually
from weir import BINARY, archive, command, configuration, log_record
from wire import PROTOBUF, Connection, exchange, post, post_json, request


def accepts(endpoint):
    try:
        Connection(endpoint, timeout=1).close()
    except OSError:
        return False
    return True


def test_the_start_says_version_configuration_and_pipelines(weir):
    (line,) = [line for line in weir.records() if "version" in line]
    assert line["version"] and line["version"][0].isdigit()
    assert "collector.yaml" in str(line) and "traces" in str(line)


def test_the_start_says_where_it_listens(weir):
    assert weir.endpoints("otlp/http") == {"otlp": weir.endpoint}
    assert weir.endpoint.startswith("127.0.0.1:") and not weir.endpoint.endswith(":0")


def test_health_and_readiness_are_answered(weir):
    assert weir.get("/healthz")[0] == 200 and weir.get("/readyz")[0] == 200
    assert weir.get("/nowhere")[0] == 404


def test_metrics_count_what_happened(weir):
    status, headers, text = weir.get("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    prometheus.parse(text)
    for _ in range(5):
        assert post(weir.endpoint, a_body(a_span(), a_span(), a_span(trace_id=bytes(16)))).rejected() == 1
    assert post_json(weir.endpoint, request_json(span_json())).rejected() == 0
    assert post(weir.endpoint, b"\xff").status == 400
    families = weir.metrics()
    assert prometheus.value(families, "otelcol_receiver_accepted_spans", receiver="otlp") == 11
    # Refused are those that a pipeline had no room for; those that are wrong in themselves are counted apart.
    assert prometheus.value(families, "otelcol_receiver_refused_spans", receiver="otlp") == 0
    assert "otelcol_receiver_refused_spans" in families
    assert prometheus.value(families, "weir_receiver_rejected_spans", receiver="otlp", reason="trace_id") == 5
    assert families["otelcol_receiver_accepted_spans"].type == "counter"
    eventually(
        lambda: weir.metric("otelcol_exporter_sent_spans", exporter="archive") == 11, lambda: weir.get("/metrics")[2]
    )


def test_the_time_to_the_acknowledgement_is_a_histogram(weir):
    def count():
        found = [f for f in weir.metrics().values() if f.type == "histogram" and "duration" in f.name]
        assert found, "no histogram of durations"
        return {f.name: prometheus.value({f.name: f}, f.name + "_count", receiver="otlp") for f in found}

    before = count()
    for _ in range(7):
        assert post(weir.endpoint, a_body()).status == 200
    assert 7 in [after - before[name] for name, after in count().items()]


def test_metrics_of_the_process_are_there(weir):
    families = weir.metrics()
    assert prometheus.value(families, "otelcol_process_uptime") > 0
    assert prometheus.value(families, "otelcol_process_memory_rss") > 1 << 20
    assert prometheus.value(families, "otelcol_process_cpu_seconds") < 10
    assert "otelcol_process_cpu_seconds" in families


@pytest.mark.parametrize("encoding", ["logfmt", "json"])
def test_every_log_line_is_in_the_encoding_asked_for(start, encoding):
    weir = start(
        exporters={"debug": {"verbosity": "detailed"}, "archive": archive("archive")},
        logs=f"level: debug, encoding: {encoding}",
    )
    assert post(weir.endpoint, a_body(a_span(name='a "quoted"\nname'))).status == 200
    weir.stop()
    lines = [line for line in weir.log().splitlines() if line]
    assert lines
    for line in lines:
        record = json.loads(line) if encoding == "json" else log_record(line)
        assert {"time", "level", "message"} <= record.keys(), line


def test_a_flood_of_equal_errors_does_not_flood_the_log(weir):
    with Connection(weir.endpoint) as connection:
        for _ in range(2000):
            connection.send(request(b"\xff"))
            assert connection.read().status == 400
    weir.stop()
    assert len(weir.log().splitlines()) < 200


def test_an_address_in_use_is_said_and_ends_the_start(start, weir):
    text = configuration(exporters={"debug": {}}).replace("endpoint: 127.0.0.1:0", f"endpoint: {weir.endpoint}", 1)
    second = start(ready=False, text=text)
    assert second.wait() == 1
    assert weir.endpoint in second.log() and "in use" in second.log()
    assert post(weir.endpoint, a_body()).status == 200


def test_an_archive_that_cannot_be_written_is_said_and_ends_the_start(start, tmp_path):
    (tmp_path / "file").write_text("in the way")
    weir = start(ready=False, exporters={"archive": archive(tmp_path / "file/archive")})
    assert weir.wait() == 1
    assert str(tmp_path / "file/archive") in weir.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_flushes_and_ends_with_0(start, number):
    weir = start(exporters={"archive": archive("archive", max_file_age="1h")})
    assert post(weir.endpoint, a_body(a_span(name="before the signal"))).status == 200
    weir.process.send_signal(number)
    assert weir.wait() == 0, weir.log()
    assert [archived.span.name for archived in weir.spans()] == ["before the signal"]


def test_idle_connections_do_not_delay_the_end(weir):
    with Connection(weir.endpoint) as idle, Connection(weir.endpoint):
        idle.send(request(a_body()))
        assert idle.read().status == 200
        weir.terminate()
        assert weir.wait(deadline=5) == 0
        assert idle.rest() == b""


def test_what_is_in_flight_is_finished_after_a_signal(weir):
    data = request(a_body(a_span(name="in flight")))
    with Connection(weir.endpoint) as connection:
        # The answer to the first request proves that the server has seen the beginning of the second.
        connection.send(request(a_body(a_span(name="before"))) + data[:-10])
        assert connection.read().status == 200
        weir.terminate()
        eventually(lambda: not accepts(weir.endpoint), "still accepts connections after SIGTERM")
        connection.send(data[-10:])
        assert connection.read().status == 200
    assert weir.wait() == 0
    assert [archived.span.name for archived in weir.spans()] == ["before", "in flight"]


def test_a_second_signal_ends_at_once(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body()) + request(a_body())[:-10])
        assert connection.read().status == 200
        weir.terminate()
        eventually(lambda: not accepts(weir.endpoint), "still accepts connections after SIGTERM")
        assert weir.process.poll() is None, "did not wait for the request in flight"

        def ended():
            # One that comes at once is the first one still.
            weir.terminate()
            return weir.process.poll() is not None

        eventually(ended, "goes on after several signals", 3)
        code = weir.wait(deadline=3)
    assert code in (-signal.SIGTERM, 1, 128 + signal.SIGTERM), code


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_nothing_acknowledged_is_lost_when_the_end_comes_under_load(weir, encoding):
    acknowledged, unanswered, lock = set(), set(), threading.Lock()
    under_load = threading.Event()

    def load(worker):
        try:
            with Connection(weir.endpoint) as connection:
                for number in range(100_000):
                    name = f"{worker}-{number}"
                    with lock:
                        unanswered.add(name)
                    body = COMPRESSIONS.get(encoding, bytes)(a_body(a_span(name=name)))
                    connection.send(request(body, encoding=encoding))
                    if connection.read().status != 200:
                        return
                    with lock:
                        unanswered.remove(name)
                        acknowledged.add(name)
                        if len(acknowledged) > 1000:
                            under_load.set()
        except Exception as error:  # noqa: BLE001, whatever ends the connection ends this client
            ends.append(error)

    ends = []
    threads = [threading.Thread(target=load, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    assert under_load.wait(30), ends
    weir.terminate()
    for thread in threads:
        thread.join(30)
    assert weir.wait() == 0, weir.log()
    names = [archived.span.name for archived in weir.spans()]
    assert acknowledged <= set(names), f"{len(acknowledged - set(names))} of {len(acknowledged)} lost"
    assert len(names) == len(set(names)), "delivered twice"
    assert set(names) <= acknowledged | unanswered


def test_readiness_ends_before_the_program(weir):
    data = request(a_body())
    with Connection(weir.endpoint) as connection:
        connection.send(data + data[:-1])
        assert connection.read().status == 200
        weir.terminate()

        def not_ready():
            try:
                return weir.get("/readyz")[0] == 503
            except OSError:
                return True

        eventually(not_ready, "still ready after SIGTERM")
        connection.send(data[-1:])
        assert connection.read().status == 200
    assert weir.wait() == 0


def test_the_environment_fills_the_configuration(start):
    text = configuration(exporters={"archive": archive("${env:WEIR_TEST_FOLDER}")}).replace(
        "endpoint: 127.0.0.1:0", 'endpoint: "${env:WEIR_TEST_ENDPOINT:-127.0.0.1:0}"', 1
    )
    weir = start(text=text, env={"WEIR_TEST_FOLDER": "from-the-environment"})
    assert post(weir.endpoint, a_body()).status == 200
    weir.stop()
    assert len(archives.spans(weir.directory / "from-the-environment")) == 1


def test_two_receivers_serve_two_pipelines(start):
    text = """\
receivers:
  otlp: { protocols: { http: { endpoint: 127.0.0.1:0 } } }
  otlp/second: { protocols: { http: { endpoint: 127.0.0.1:0 } } }
exporters:
  archive/a: { directory: a, format: otlp_proto, compression: none }
  archive/b: { directory: b, format: otlp_proto, compression: none }
service:
  telemetry: { metrics: { endpoint: 127.0.0.1:0 } }
  pipelines:
    traces: { receivers: [otlp], exporters: [archive/a] }
    traces/both: { receivers: [otlp, otlp/second], exporters: [archive/b] }
"""
    weir = start(text=text)
    endpoints = eventually(lambda: len(weir.endpoints("otlp/http")) == 2 and weir.endpoints("otlp/http"), weir.log)
    assert post(endpoints["otlp"], a_body(a_span(name="first"))).status == 200
    assert post(endpoints["otlp/second"], a_body(a_span(name="second"))).status == 200
    weir.stop()
    assert [archived.span.name for archived in archives.spans(weir.directory / "a")] == ["first"]
    assert sorted(archived.span.name for archived in archives.spans(weir.directory / "b")) == ["first", "second"]


def test_processors_change_what_arrives(start):
    text = (
        configuration(exporters={"archive": archive("archive")})
        .replace(
            "exporters:\n",
            """\
processors:
  attributes/env: { actions: [ { key: deployment.environment.name, value: test, action: upsert } ] }
  filter/health: { traces: { span: [ 'attributes["http.route"] == "/healthz"' ] } }
exporters:
""",
            1,
        )
        .replace("receivers: [otlp]", "receivers: [otlp]\n      processors: [attributes/env, filter/health]")
    )
    weir = start(text=text)
    health = a_span(name="health")
    health.attributes.add(key="http.route").value.string_value = "/healthz"
    assert post(weir.endpoint, a_body(a_span(name="order"), health)).rejected() == 0
    (archived,) = weir.spans()
    assert archived.span.name == "order"
    assert [(a.key, a.value.string_value) for a in archived.span.attributes] == [
        ("deployment.environment.name", "test")
    ]


def test_help_and_version_are_there():
    result = command("--help")
    assert result.returncode == 0
    for name in ("run", "check", "print-config", "components"):
        assert name in result.stdout
    version = command("--version")
    assert version.returncode == 0 and version.stdout.strip()


def test_the_telemetry_endpoint_survives_nonsense(weir):
    for data in (
        b"\x00" * 100,
        b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 100_000,
        b"POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with Connection(weir.metrics_endpoint) as connection:
            connection.send_what_it_takes(data)
    other = request(method="DELETE", path="/metrics")
    assert exchange(weir.metrics_endpoint, other).status == 403, "a name that is not this machine's"
    assert exchange(weir.metrics_endpoint, other.replace(b"weir.test", b"localhost")).status == 405
    assert weir.get("/metrics")[0] == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a program as somebody else")
def test_it_serves_without_privileges(start):
    # The binary and the folder have to be within reach of a user who may nothing.
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        text = configuration(exporters={"archive": archive("archive")})
        weir = start(binary=shutil.copy(BINARY, directory), text=text, user=65534, directory=directory)
        assert post(weir.endpoint, a_body()).status == 200
        weir.stop()
        assert len(archives.spans(pathlib.Path(directory) / "archive")) == 1


def test_a_receiver_that_cannot_listen_ends_the_program(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = f"""\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: "127.0.0.1:0" }} }} }}
  otlp/two: {{ protocols: {{ http: {{ endpoint: "127.0.0.1:{port}" }} }} }}
exporters:
  debug: {{}}
service:
  telemetry: {{ metrics: {{ endpoint: "127.0.0.1:0" }} }}
  pipelines: {{ traces: {{ receivers: [otlp, otlp/two], exporters: [debug] }} }}
"""
        weir = start(ready=False, text=text)
        assert weir.wait() == 1
        assert f"otlp/two: cannot listen on 127.0.0.1:{port}: Address already in use" in weir.log()


def test_open_connections_are_counted(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body()))
        assert connection.read().status == 200
        assert weir.metric("weir_receiver_open_connections") == 1
    eventually(lambda: weir.metric("weir_receiver_open_connections") == 0, "the connection still counts")


def test_what_clients_do_wrong_is_in_the_log(weir):
    post(weir.endpoint, b"\xff", PROTOBUF)
    post(weir.endpoint, a_body(a_span(trace_id=b"short")))
    lines = {line["message"]: line for line in weir.records()}
    assert lines["refused a request"]["http_status"] == "400"
    assert "trace_id" in lines["rejected spans"]["reason"]
    for _ in range(200):
        post(weir.endpoint, b"\xff", PROTOBUF)
    assert weir.log().count("refused a request") < 20


@pytest.mark.parametrize("soft, hard", [(256, 12_000), (200, 200)])
def test_it_takes_the_open_files_that_the_system_allows_and_outlives_too_few(start, tmp_path, soft, hard):
    script = tmp_path / "weir.sh"
    script.write_text(f'#!/bin/sh\nulimit -Sn {soft}\nulimit -Hn {hard}\nexec {BINARY} "$@"\n')
    script.chmod(0o755)
    weir = start(binary=script)
    limits = pathlib.Path(f"/proc/{weir.process.pid}/limits").read_text()
    assert f"Max open files            {hard} " in limits
    assert ("few open files" in weir.log()) == (hard < 10_000)
    held = [Connection(weir.endpoint) for _ in range(300)]
    held[0].send(request(a_body()))
    answer = held[0].read()
    for connection in held:
        connection.close()
    # Connections may leave no file for the journal, where the system allows very few: then it says so, and nobody loses anything.
    assert answer.status == 200 or hard < 10_000 and answer.status == 503 and b"too many open files" in answer.body
    eventually(lambda: post(weir.endpoint, a_body()).status == 200, weir.log)


def test_nothing_is_taken_before_every_port_is_open(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = configuration(exporters={"archive": archive("archive")}).replace(
            "metrics: { endpoint: 127.0.0.1:0 }", f"metrics: {{ endpoint: 127.0.0.1:{taken.getsockname()[1]} }}")
        weir = start(ready=False, text=text)
        assert weir.wait() == 1
    assert "telemetry: cannot listen" in weir.log()
    assert weir.endpoints("otlp/http") == {} and "ready" not in [line["message"] for line in weir.records()]


def test_a_destination_that_hangs_does_not_hold_up_the_end(start):
    # It takes connections and never says a word.
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        exporters = {"otlp_http": {"endpoint": endpoint, "timeout": "60s", "compression": "none"}}
        weir = start(text=configuration(exporters=exporters) + "  shutdown_timeout: 6s\n")
        assert post(weir.endpoint, a_body(a_span())).status == 200
        eventually(lambda: weir.metric("weir_exporter_in_flight_batches") == 1, weir.log)
        assert weir.metric("otelcol_exporter_queue_size") == 1
        weir.stop()
        assert "spans stay in the journal for the next start" in weir.log()


NOTED = configuration(exporters={"debug": {}}).replace("exporters:\n", "processors: { batch: {} }\nexporters:\n", 1).replace(
    "receivers: [otlp]", "receivers: [otlp]\n      processors: [batch]"
)


@pytest.mark.parametrize(
    "words", ["components", "check", "print-config", "api-key new --tenant shop --scope ingest", "import-config collector.yaml"]
)
def test_output_that_cannot_be_written_is_an_error(words, tmp_path):
    (tmp_path / "collector.yaml").write_text(NOTED)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, *words.split()], stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, timeout=30)
    assert done.returncode == 1 and b"write standard output: no space left" in done.stderr
    closed = subprocess.run(["sh", "-c", f'exec "{BINARY}" {words} >&-'], stderr=subprocess.PIPE, cwd=tmp_path, timeout=30)
    assert closed.returncode == 1 and b"write standard output: bad file descriptor" in closed.stderr


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&- >&- 2>&-"])
def test_a_program_serves_though_nobody_takes_its_log(redirection, tmp_path):
    (tmp_path / "collector.yaml").write_text(NOTED)
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["sh", "-c", f'exec "{BINARY}" run {redirection}'], cwd=tmp_path, **nothing)
    try:
        segments = tmp_path / "data" / "journal" / "traces"
        eventually(lambda: process.poll() is not None or segments.exists() and any(segments.iterdir()), "no journal")
        assert process.poll() is None
        streams = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
        assert {*streams} <= {"/dev/null", "/dev/full"}, "a file has the number of a stream"
        process.terminate()
        # Nobody can see whether it listens for the signal by now.
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def test_input_that_cannot_be_read_is_an_error(tmp_path):
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        done = subprocess.run([BINARY, "redact"], stdin=directory, capture_output=True, timeout=30)
    finally:
        os.close(directory)
    assert done.returncode == 1 and b"standard input cannot be read" in done.stderr
    closed = subprocess.run(["sh", "-c", f'exec "{BINARY}" redact <&-'], capture_output=True, timeout=30)
    assert closed.returncode == 1 and b"standard input cannot be read" in closed.stderr
