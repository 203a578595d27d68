"""The program under test: the real binary, started with a configuration and stopped with a signal."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess

import archives
import prometheus
from waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WEIR_BINARY", ROOT / ".build/release/weir"))

CONFIG = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:0
{http}{grpc}
exporters:
{exporters}
service:
  telemetry:
    metrics: {{ endpoint: 127.0.0.1:0 }}
    logs: {{ {logs} }}
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [{names}]
"""


def archive(directory, format="otlp_proto", compression="none", max_file_age="1s", **further):
    """The keys of an archive exporter."""
    return dict(directory=str(directory), format=format, compression=compression, max_file_age=max_file_age, **further)


# Waits that a test can afford.
IMPATIENT = {"retry_on_failure": {"initial_interval": "10ms", "max_interval": "50ms"}}


def forward(endpoint, **further):
    """The keys of an exporter that sends spans on, and is not patient."""
    return {"endpoint": endpoint, "compression": "none", "timeout": "1s", **IMPATIENT, **further}


def postgres(database, **further):
    """The keys of an exporter to a database of `postgres.py`, which is not patient either."""
    return {"connection": database.connection(), "schema": "weir", **IMPATIENT, **further}


def sqlite(directory, **further):
    return {"directory": str(directory), **IMPATIENT, **further}


def configuration(http=None, exporters=None, logs="level: info, encoding: logfmt", journal=None, grpc=None):
    """The text of a configuration with one pipeline: keys of the receiver for each protocol, of the exporters by
    component id, and of the journal. Without `grpc` that protocol is not served."""

    def inline(keys):
        return "{ " + ", ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items()) + " }"

    text = CONFIG.format(
        http="".join(f"        {key}: {json.dumps(value)}\n" for key, value in (http or {}).items()),
        grpc=f"      grpc: {json.dumps({'endpoint': '127.0.0.1:0', **grpc})}\n" if grpc is not None else "",
        exporters="".join(f"  {name}: {inline(keys)}\n" for name, keys in exporters.items()),
        names=", ".join(exporters),
        logs=logs,
    )
    # A journal takes two segments of the disk when it begins: a sixteenth of this each.
    return text + f"  journal: {inline({'max_bytes': '256MiB', **(journal or {})})}\n"


def command(*arguments, cwd=None, env=None, deadline=30, text=""):
    """Runs the binary on `text` to its end, and returns exit code, standard output and standard error."""
    return subprocess.run(
        [BINARY, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=text,
        capture_output=True,
        text=True,
        timeout=deadline,
    )


class Weir:
    """One running process. Its archive is in `directory`/archive unless the test gave exporters of its own."""

    def __init__(self, directory, text=None, env=None, stdout=None, user=None, binary=BINARY, **keys):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.archive = self.directory / "archive"
        keys.setdefault("exporters", {"archive": archive(self.archive)})
        self.config = self.directory / "collector.yaml"
        self.config.write_text(text or configuration(**keys))
        self.log_file = self.directory / "weir.log"
        self.stopped = False
        with open(self.log_file, "wb") as log, open(self.directory / "weir.out", "wb") as out:
            self.process = subprocess.Popen(
                [binary, "run", "--config", self.config],
                cwd=self.directory,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout or out,
                user=user,
                stderr=log,
            )

    def started(self):
        """Waits until the program is ready, and returns it."""
        self.metrics_endpoint = self._listening("prometheus")
        self.endpoint = self._listening("otlp/http")
        eventually(lambda: self.get("/readyz")[0] == 200, self._story("not ready"))
        return self

    @property
    def grpc_endpoint(self):
        return next(iter(self.endpoints("otlp/grpc").values()))

    def _ended(self):
        if self.process.poll() is not None:
            raise AssertionError(f"exit code {self.process.returncode} at the start:\n{self.log()}")

    def _story(self, what):
        return lambda: f"{what}; the log:\n{self.log()}"

    def _listening(self, protocol):
        """The first endpoint of this protocol, as soon as the log names it."""
        found = eventually(lambda: self.endpoints(protocol) or self._ended(), self._story(f"no {protocol} endpoint"))
        return next(iter(found.values()))

    def endpoints(self, protocol):
        """Where the program listens, by component."""
        lines = [line for line in self.records() if line.get("message") == "listening"]
        return {line.get("component"): line["endpoint"] for line in lines if line["protocol"] == protocol}

    def log(self):
        return self.log_file.read_text(errors="replace")

    def records(self):
        """The whole log lines as dictionaries, whichever encoding they have."""
        return [log_record(line) for line in self.log().split("\n")[:-1]]

    def get(self, path):
        """Status, headers and text of a page of the telemetry endpoint."""
        host, port = self.metrics_endpoint.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, _, text = self.get("/metrics")
        assert status == 200, text
        return prometheus.parse(text)

    def metric(self, name, **labels):
        return prometheus.value(self.metrics(), name, **labels)

    def memory_peak(self):
        """The largest resident size so far, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def drain(self):
        """Waits until no exporter has anything left to do."""
        eventually(lambda: self.metric("weir_journal_bytes") == 0, self._story("not drained"), 30)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline=20):
        self.process.wait(deadline)
        self.stopped = True
        return self.process.returncode

    def stop(self):
        """SIGTERM; the program has to drain and to exit 0."""
        if self.stopped:
            return
        self._ended()
        self.terminate()
        code = self.wait()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log()}"
        assert "Fatal error" not in self.log() and "Crash" not in self.log(), self.log()

    def kill(self):
        """For the end of a test that failed, or that left the program in a state from which it need not drain."""
        self.process.kill()
        self.wait()

    def spans(self):
        """Stops the program and returns what it archived."""
        self.stop()
        return archives.spans(self.archive)


def log_record(line):
    """A log line as a dictionary."""
    if line.startswith("{"):
        return json.loads(line)
    pairs = re.findall(r'([\w.\-/]+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {key: json.loads(value) if value.startswith('"') else value for key, value in pairs}
