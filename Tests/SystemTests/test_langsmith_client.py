"""LangSmith's own Python client and Weir trace the same program; what the strict server has of it is compared."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import smith
from waiting import eventually
from weir import IMPATIENT

PROGRAM = pathlib.Path(__file__).with_name("traced_program.py")

# docs/langsmith.md, "What differs from LangSmith's own client, on purpose".
OWN_METADATA = {"OTEL_TRACE_ID", "OTEL_SPAN_ID", "otel_scope_name", "service.name", "gen_ai.operation.name",
                "gen_ai.system", "gen_ai.tool.name", "gen_ai.serialized.name",
                "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}


@pytest.fixture
def servers():
    made = [smith.Smith(), smith.Smith()]
    yield made
    for one in made:
        one.close()


def trace_with(**environment):
    keys = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": smith.KEY, "LANGSMITH_PROJECT": "shop", **environment}
    subprocess.run([sys.executable, PROGRAM], env={**os.environ, **keys}, check=True, timeout=60, capture_output=True)


def runs_of(server):
    return {run["name"]: run for run in server.verify().values()}


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        return [line for key in sorted(one.keys() | other.keys())
                for line in differences(one.get(key), other.get(key), f"{path}.{key}")]
    return [] if one == other else [f"{path}: {json.dumps(one)} and {json.dumps(other)}"]


def comparable(runs):
    """Without what differs on purpose."""
    names = {run["id"]: name for name, run in runs.items()}
    result = {}
    for name, run in runs.items():
        metadata = {key: value for key, value in run["extra"]["metadata"].items()
                    if key not in OWN_METADATA and not key.startswith("LANGSMITH_")}
        error = run.get("error")
        result[name] = {
            "run_type": run["run_type"],
            "session_name": run["session_name"],
            "parent": names.get(run.get("parent_run_id")),
            "trace": names[run["trace_id"]],
            "tags": sorted(run.get("tags") or []),
            "inputs": run["inputs"],
            "outputs": {} if error else run["outputs"],
            "metadata": metadata,
            "events": run.get("events") or [],
            "fails": bool(error),
            "has_end": bool(run["end_time"]),
        }
    return result


def test_the_same_program_gives_the_same_runs(start, servers):
    client, ours = servers
    trace_with(LANGSMITH_ENDPOINT=client.url)
    exporters = {"langsmith": {"endpoint": ours.url, "api_key": smith.KEY, "project": "shop", **IMPATIENT}}
    weir = start(exporters=exporters)
    trace_with(
        LANGSMITH_ENDPOINT=client.url, LANGSMITH_OTEL_ENABLED="true", LANGSMITH_OTEL_ONLY="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{weir.endpoint}",
    )
    eventually(lambda: len(ours.all_runs()) >= 4, weir.log, 20)
    expected, found = runs_of(client), runs_of(ours)
    lines = differences(comparable(expected), comparable(found))
    assert not lines, "\n".join(lines)
    for name, run in found.items():
        assert {"OTEL_TRACE_ID", "OTEL_SPAN_ID"} <= run["extra"]["metadata"].keys()
    assert "ValueError: no such city: Atlantis" in found["weather"]["error"]
    assert "no such city: Atlantis" in expected["weather"]["error"]
