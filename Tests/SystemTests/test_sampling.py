"""Sampling by the real program: the SDK's consistent sampler decides alike, what is left out counts, bursts, explain."""

import http.client
import json
import random
import sqlite3
import time

import pytest
from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based, composite_sampler
from opentelemetry.sdk.trace.sampling import Decision

from waiting import eventually
from weir import ROOT, command, configuration, sqlite
from wire import JSON, post

SEED = 20260203


def a_span(trace_id, span_id, name="GET /", **attributes):
    now = time.time_ns()
    return {
        "traceId": trace_id,
        "spanId": f"{span_id:016x}",
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(now - 1_000_000),
        "endTimeUnixNano": str(now),
        "attributes": [
            {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
            for key, value in attributes.items()
        ],
    }


def send(weir, spans, **resource):
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    body = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}]}
    answer = post(weir.endpoint, json.dumps(body).encode(), content_type=JSON)
    assert answer.status == 200, answer.body


def sampled(start, tmp_path, processors, names):
    """A program with these processors in front of SQLite, and an operations listener."""
    text = configuration(exporters={"sqlite": sqlite(tmp_path / "hot")})
    text = text.replace("exporters:\n", f"processors:\n{processors}exporters:\n", 1)
    text = text.replace("      exporters: [sqlite]\n", f"      processors: [{names}]\n      exporters: [sqlite]\n")
    text = text.replace("service:\n", "service:\n  operations: { endpoint: 127.0.0.1:0 }\n", 1)
    return start(text=text)


def rows(tmp_path, sql):
    found = []
    for file in sorted((tmp_path / "hot").glob("spans-*.db")):
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            found += connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            # The file is being made.
            assert "no such table" in str(error)
        finally:
            connection.close()
    return found


def test_decides_as_the_python_sdk_does(start, tmp_path):
    chance = random.Random(SEED)
    ids = [chance.getrandbits(128) | 1 for _ in range(2_000)]
    ratio = 0.2
    weir = sampled(
        start,
        tmp_path,
        "  probabilistic_sampler: { sampling_percentage: 20, mode: equalizing, sampling_precision: 14 }\n",
        "probabilistic_sampler",
    )
    sampler = composite_sampler(composable_traceid_ratio_based(ratio))
    results = [sampler.should_sample(None, trace_id, "x") for trace_id in ids]
    wanted = {
        f"{trace_id:032x}": result.trace_state.to_header()
        for trace_id, result in zip(ids, results)
        if result.decision == Decision.RECORD_AND_SAMPLE
    }
    assert 300 < len(wanted) < 500
    send(weir, [a_span(f"{trace_id:032x}", index + 1) for index, trace_id in enumerate(ids)])
    total = lambda: sum(row[0] for row in rows(tmp_path, "SELECT coalesce(sum(spans), 0) FROM span_rollups"))
    eventually(lambda: (tmp_path / "hot").exists() and total() == len(ids), "not all spans count")
    weir.stop()
    stored = dict(rows(tmp_path, "SELECT lower(hex(trace_id)), trace_state FROM spans"))
    # The percentage is kept in 32 bits, as the Collector does, and 20 has no error in them.
    assert stored == wanted
    counts = {row[0] for row in rows(tmp_path, "SELECT adjusted_count FROM spans")}
    assert counts == {2**56 / (2**56 - (2**56 - round(ratio * 2**56)))}


def test_what_the_example_leaves_out_still_counts(start, tmp_path):
    example = (ROOT / "docs/examples/sampling.yaml").read_text()
    text = (
        example.replace("127.0.0.1:4318", "127.0.0.1:0")
        .replace("127.0.0.1:8889", "127.0.0.1:0")
        .replace("data/hot", str(tmp_path / "hot"))
        .replace("prices.yaml", str(ROOT / "prices.yaml"))
        .replace("service:\n", "service:\n  telemetry: { metrics: { endpoint: 127.0.0.1:0 } }\n"
                 "  journal: { max_bytes: 256MiB }\n", 1)
    )
    weir = start(text=text)
    chance = random.Random(SEED)
    spans = []
    for number in range(1_000):
        for _ in range(3):
            spans.append(a_span(f"{chance.getrandbits(128) | 1:032x}", len(spans) + 1, **{"session.id": f"s{number}"}))
    send(weir, spans, **{"service.name": "web-ui"})
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000}
    send(weir, [a_span(f"{index:032x}", index, name="chat", **call) for index in range(1, 51)], **{"service.name": "bot"})
    staging = {"service.name": "web-ui", "deployment.environment.name": "staging"}
    send(weir, [a_span(f"{index:032x}", index, **{"session.id": "x"}) for index in range(1, 21)], **staging)
    sums = "SELECT coalesce(sum(spans), 0) FROM span_rollups"
    eventually(
        lambda: (tmp_path / "hot").exists() and sum(row[0] for row in rows(tmp_path, sums)) == 3_070, "not all count"
    )
    weir.stop()
    assert rows(tmp_path, "SELECT count(*), count(total_cost_pico) FROM llm_usage") == [(50, 50)]
    by_rule = dict(
        rows(tmp_path, "SELECT attributes ->> '$.\"weir.sampling.rule\"', count(*) FROM spans GROUP BY 1")
    )
    assert by_rule["staging"] == 20 and by_rule["llm"] == 50
    assert 450 < by_rule["ui"] < 750
    sessions = rows(
        tmp_path,
        "SELECT session_id, count(*) FROM spans WHERE attributes ->> '$.\"weir.sampling.rule\"' = 'ui' GROUP BY 1",
    )
    assert {count for _, count in sessions} == {3}
    estimate = rows(tmp_path, "SELECT sum(coalesce(adjusted_count, 1)) FROM spans")[0][0]
    assert abs(estimate - 3_070) < 700
    told = command("query", "services", "--config", str(weir.config), "--format", "json")
    assert {json.loads(line)["service"]: json.loads(line)["spans"] for line in told.stdout.splitlines()} == {
        "bot": 50,
        "web-ui": 3_020,
    }


def test_calls_that_are_left_out_are_explained(start, tmp_path):
    weir = sampled(
        start,
        tmp_path,
        "  sampling: { rules: [ { name: none, when: 'name == \"chat\"', probability: 0 },"
        " { name: rest, probability: 0.5 } ] }\n",
        "sampling",
    )
    kept, out = "5b8efff798038103d2ffffffffffffff", "5b8efff798038103d200000000000000"
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.input.messages": "a secret"}
    send(weir, [a_span(kept, 1), a_span(out, 2), a_span(kept, 3, name="chat", **call)], **{"service.name": "bot"})
    eventually(lambda: (tmp_path / "hot").exists() and rows(tmp_path, "SELECT 1 FROM spans") == [(1,)], "not stored")
    told = command("explain", kept, "--config", str(weir.config))
    assert told.returncode == 0, told.stderr
    assert '1 stored, kept by rule "rest", each for 2;' in told.stdout
    assert 'a call of "gpt-4o" by "bot" at ' in told.stdout and 'sampled out by rule "none"; it counts' in told.stdout
    left = json.loads(command("explain", out, "--config", str(weir.config), "--format", "json").stdout)
    assert left["kept"] == [] and left["sampled_out_calls"] == []
    assert [(rule["rule"], rule["outcome"]) for rule in left["rules"]] == [
        ("none", "sampled_out"),
        ("rest", "sampled_out"),
    ]
    weir.stop()
    assert b"a secret" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_burst_keeps_everything_within_its_budget(start, tmp_path):
    weir = sampled(start, tmp_path, "  sampling: { rules: [ { name: none, probability: 0 } ] }\n", "sampling")
    url = f"http://{next(iter(weir.endpoints('operations').values()))}"
    send(weir, [a_span(f"{1:032x}", 1)])
    done = command("burst", "--url", url, "--for", "10m", "--max-bytes", "2KiB", "--reason", "incident 7")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["processors"][0]["burst"]["max_bytes"] == 2048
    send(weir, [a_span(f"{2:032x}", 2)])
    eventually(lambda: (tmp_path / "hot").exists() and rows(tmp_path, "SELECT span_id FROM spans") == [(2,)], "not kept")
    send(weir, [a_span(f"{index:032x}", index) for index in range(3, 103)])
    quiet = lambda: json.loads(command("burst", "--url", url, "--status").stdout)["processors"][0]["burst"] is None
    eventually(quiet, "the budget does not end it")
    assert command("burst", "--url", url, "--rule", "x").returncode == 1
    assert json.loads(command("burst", "--url", url, "--stop").stdout) == {"stopped": 0}
    assert any(line.get("message") == "burst ended" and line["because"] == "budget" for line in weir.records())
    weir.stop()
    stored = rows(tmp_path, "SELECT span_id, attributes ->> '$.\"weir.sampling.burst\"', trace_state FROM spans")
    assert 2 < len(stored) < 20 and all(burst and state == "ot=th:0" for _, burst, state in stored)
