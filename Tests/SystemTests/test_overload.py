"""What only shows under abuse: deep pipelines, batches that grow, exporters that do not return."""

import os
import socket
import time

from otlp import a_body, a_span
from weir import configuration
from wire import post


def test_thousands_of_pipelined_requests_that_are_refused_are_answered_one_after_the_other(weir):
    host, port = weir.endpoint.rsplit(":", 1)
    accepted = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    refused = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    block = accepted + refused * 2600
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(1)
        try:
            for _ in range(60):
                client.sendall(block)
        except TimeoutError:
            pass  # The program reads no further while its answers are not read.
        client.settimeout(60)
        received = 0
        while received < 500_000:
            chunk = client.recv(1 << 20)
            assert chunk, f"closed after {received} bytes"
            received += len(chunk)
    assert post(weir.endpoint, a_body()).status == 200


def test_a_request_that_processors_make_too_large_is_answered_413(start):
    text = f"""\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: "127.0.0.1:0" }} }} }}
processors:
  attributes: {{ actions: [ {{ key: filler, value: {"x" * 6000}, action: upsert }} ] }}
exporters:
  archive: {{ directory: archive }}
service:
  journal: {{ max_bytes: 16MiB }}
  telemetry: {{ metrics: {{ endpoint: "127.0.0.1:0" }} }}
  pipelines: {{ traces: {{ receivers: [otlp], processors: [attributes], exporters: [archive] }} }}
"""
    weir = start(text=text)
    answer = post(weir.endpoint, a_body(*(a_span() for _ in range(2000))))
    # Half of what the journal may have.
    assert answer.status == 413 and "is over 8MiB" in answer.error().message
    assert post(weir.endpoint, a_body()).status == 200


def test_a_request_that_no_journal_can_hold_is_answered_413(start):
    weir = start(journal={"max_bytes": "16MiB"})
    answer = post(weir.endpoint, a_body(a_span(name="x" * (9 << 20))))
    assert answer.status == 413
    assert "retry-after" not in answer.headers


def test_an_exporter_that_does_not_return_does_not_keep_the_program_from_ending(tmp_path, start):
    # Nobody reads the pipe that the debug exporter writes to.
    text = configuration(exporters={"debug": {"verbosity": "detailed"}}) + "  shutdown_timeout: 1s\n"
    reader, writer = os.pipe()
    try:
        weir = start(text=text, stdout=writer)
        for _ in range(20):
            assert post(weir.endpoint, a_body(*(a_span() for _ in range(500)))).status == 200
        weir.terminate()
        began = time.monotonic()
        assert weir.wait() == 1
        assert time.monotonic() - began < 10
        assert "shutdown_timeout" in weir.log()
    finally:
        os.close(reader)
        os.close(writer)
