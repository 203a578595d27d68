"""The servers that are measured, and what the kernel says of them."""
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

CONFIGURATION = """\
{processors}receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:0
        max_in_flight_bytes: {in_flight}
exporters:
{exporters}service:
  telemetry:
    metrics:
      endpoint: 127.0.0.1:0
  journal:
    directory: {folder}/journal
    max_bytes: 8GiB
    dedupe_window: 0s
  pipelines:
    traces: {{ receivers: [otlp], processors: [{steps}], exporters: [{names}] }}
"""


def cpu_seconds(pid):
    """User and system time of a process so far, in steps of a clock tick."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Server:
    """A running server: its process and the port that takes spans."""

    def __init__(self, process, port, metrics_port=None):
        self.process = process
        self.port = port
        self.metrics_port = metrics_port

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def mebibytes(self, field):
        """VmRSS is what is resident now, VmHWM the most that ever was."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1)) / 1024

    def metric(self, name):
        """The sum of a metric's series."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[ {{]", line))


@contextlib.contextmanager
def weir(program, in_flight="256MiB", exporters=1, destination=None, folder=None, processors={}, **further):
    """Weir with the receiver `otlp`, processors whose keys are given, some exporters `debug`, perhaps one to an OTLP
    destination, and further ones whose keys are given. Its journal is in `folder`."""
    defined = {f"debug/{number}" if number else "debug": "" for number in range(exporters)} | further
    if destination:
        defined["otlp_http"] = f"{{ endpoint: {destination} }}"
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder or stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "bench.yaml").write_text(CONFIGURATION.format(
            in_flight=in_flight, folder=folder, names=", ".join(defined), steps=", ".join(processors),
            processors="".join(["processors:\n"] * bool(processors)
                               + [f"  {name}: {keys}\n" for name, keys in processors.items()]),
            exporters="".join(f"  {name}: {keys}\n" for name, keys in defined.items())))
        log = stack.enter_context((folder / "log").open("wb"))
        process = stack.enter_context(stopped_at_the_end(
            subprocess.Popen([program, "run", "--config", folder / "bench.yaml"], stderr=log)))
        yield Server(process, port(folder / "log", "otlp/http"), port(folder / "log", "prometheus"))


@contextlib.contextmanager
def bare(program):
    with stopped_at_the_end(subprocess.Popen([program], stdout=subprocess.PIPE)) as process:
        yield Server(process, int(process.stdout.readline()))


@contextlib.contextmanager
def stopped_at_the_end(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def port(log, protocol):
    """Waits until the log says where a protocol is served."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if "message=listening" in line and f"protocol={protocol}" in line:
                return int(re.search(r"endpoint=\"?[^ \"]*:(\d+)", line).group(1))
        time.sleep(0.01)
    raise SystemExit(f"weir did not say within 10 s where it serves {protocol}:\n{log.read_text()}")
