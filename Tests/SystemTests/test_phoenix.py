"""Arize Phoenix as a destination of the exporter `otlp_http`."""

import json
import os
import socket
import subprocess
import urllib.request

import pytest

from otlp import a_body, a_span, attribute
from waiting import eventually
from weir import IMPATIENT, ROOT
from wire import post

pytestmark = pytest.mark.torture
TRACE = bytes(range(16))


def free_port():
    """Phoenix does not say which one it has taken, so it has to be told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Phoenix:
    def __init__(self, directory):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory / "phoenix.log"
        settings = {
            "PHOENIX_WORKING_DIR": str(directory), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        self.environment = os.environ | settings
        self.process = None

    def start(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [ROOT / ".build/venv-phoenix/bin/phoenix", "serve"], stdout=log, stderr=log, env=self.environment)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def spans(self):
        """By name; empty as long as it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/v1/projects/default/spans?limit=1000", timeout=10) as answer:
                return {span["name"]: span for span in json.load(answer)["data"]}
        except OSError:
            return {}


@pytest.fixture
def phoenix(tmp_path):
    server = Phoenix(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_phoenix_shows_what_was_sent_though_it_was_away(start, phoenix, compression):
    weir = start(exporters={"otlp_http": {"endpoint": phoenix.url, "compression": compression, **IMPATIENT}})
    sent = {}
    for number in range(300):
        values = {"openinference.span.kind": "LLM", "input.value": f"grün {number}", "llm.token_count.prompt": number}
        span = a_span(
            trace_id=TRACE, span_id=(number + 1).to_bytes(8, "big"), name=f"call {number}",
            parent_span_id=(number // 10).to_bytes(8, "big") if number > 9 else b"",
            attributes=[attribute(key, value) for key, value in values.items()])
        sent[span.name] = span
    for first in range(0, 300, 50):
        assert post(weir.endpoint, a_body(*list(sent.values())[first : first + 50])).rejected() == 0
    eventually(lambda: "could not deliver" in weir.log(), weir.log)
    phoenix.start()
    eventually(lambda: len(phoenix.spans()) == 300, lambda: weir.log() + phoenix.log.read_text()[-3000:], 120)
    weir.drain()
    for name, found in phoenix.spans().items():
        span = sent[name]
        assert (found["context"]["trace_id"], found["context"]["span_id"]) == (TRACE.hex(), span.span_id.hex())
        assert found["parent_id"] == (span.parent_span_id.hex() or None)
        number = int(name.removeprefix("call "))
        assert found["span_kind"] == "LLM" and found["attributes"]["input.value"] == f"grün {number}"
        assert found["attributes"]["llm.token_count.prompt"] == number
