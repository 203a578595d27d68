"""What a day of calls costs, by the ledger: the generator's sum, whatever comes twice, late, or to a program that is killed."""

import contextlib
import http.client
import json
import time

import pytest

import tables
from waiting import eventually
from weir import ROOT, command

CONFIG = """\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0 }} }} }}
processors:
  cost: {{ prices: {prices}, budgets: [ {{ scope: tenant, window: day, soft: 0.000001 }}, {{ scope: user, hard: 1000000 }} ] }}
exporters:
  sqlite: {{ directory: {hot}, sending_queue: {{ batch: {{ max_spans: 50, flush_timeout: 5ms }} }} }}
service:
  journal: {{ directory: {journal}, max_bytes: 64MiB }}
  operations: {{ endpoint: 127.0.0.1:0 }}
  telemetry: {{ metrics: {{ endpoint: 127.0.0.1:0 }} }}
  pipelines:
    traces: {{ receivers: [otlp], processors: [cost], exporters: [sqlite] }}
"""

# What gpt-4o costs, in 1e-12 USD a token.
INPUT, OUTPUT = 2_500_000, 10_000_000


def attribute(key, value):
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def span(trace, number, parent, start, operation, tokens=None, **further):
    attributes = {"gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o", **further}
    if tokens:
        attributes |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    made = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": operation,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1000),
        "attributes": [attribute(key, value) for key, value in attributes.items()],
    }
    return made | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def day(dice, traces):
    """Spans of a day, in an order that no program would have, and what they cost together."""
    # Yesterday, so that no window ends meanwhile.
    midnight = (time.time_ns() // 86_400_000_000_000 - 1) * 86_400_000_000_000
    spans, cost = [], 0
    for trace in range(1, traces + 1):
        start, first = midnight + dice.randrange(86_000) * 10**9, trace * 100
        used = [(dice.randrange(1, 100_000), dice.randrange(1, 5_000)) for _ in range(dice.choice([0, 1, 1, 3]))]
        for number, tokens in enumerate(used):
            response = {"gen_ai.response.id": f"r{trace}-{number}", "user.id": f"u{trace % 5}"}
            spans.append(span(trace, first + 10 + number, first + 2, start, "chat", tokens, **response))
            if dice.random() < 0.3:
                # The gateway saw it too.
                spans.append(span(trace, first + 50 + number, first + 2, start + 1000, "chat", tokens, **response))
        # Between the agent and its calls there is a step that says nothing.
        spans.append(span(trace, first + 2, first + 1, start, "execute_tool"))
        total = tuple(map(sum, zip(*used, strict=True))) if used else (1_000, 100)
        spans.append(span(trace, first + 1, 0, start, "invoke_agent", total))
        cost += sum(tokens[0] * INPUT + tokens[1] * OUTPUT for tokens in used or [total])
    dice.shuffle(spans)
    return spans, cost


def send(endpoint, spans):
    """Whether they were acknowledged."""
    host, port = endpoint.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def pico(text):
    whole, decimals = text.split(".")
    return int(whole + decimals)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.torture)])
def test_the_ledger_of_a_day_is_what_was_spent(start, dice, tmp_path, database, kills, store):
    config = CONFIG.format(
        prices=json.dumps(str(ROOT / "prices.yaml")), hot=tmp_path / "hot", journal=tmp_path / "journal"
    )
    if store == "postgres":
        keys = f"connection: {json.dumps(database.connection())}, schema: weir"
        config = config.replace(f"sqlite: {{ directory: {tmp_path / 'hot'}", f"postgres: {{ {keys}")
        config = config.replace("exporters: [sqlite]", "exporters: [postgres]")
    spans, cost = day(dice, traces=40 * kills)
    moments = sorted(dice.sample(range(len(spans)), kills))
    weir, sent = start(text=config), 0
    while sent < len(spans):
        part = spans[sent : sent + dice.randrange(1, 30)]
        # A client that hears nothing sends again, and some send again all the same.
        if send(weir.endpoint, part):
            sent += len(part)
            if dice.random() < 0.2:
                send(weir.endpoint, dice.sample(spans[:sent], min(sent, 10)))
        if moments and sent > moments[0]:
            moments.pop(0)
            weir.kill()
            weir = start(text=config)
    weir.drain()

    def ask(*arguments):
        shown = command(
            *["query", *arguments, "--since", "72h", "--format", "json", "--limit", "10000"],
            *["--config", str(weir.config)],
            cwd=weir.directory,
        )
        assert shown.returncode == 0, shown.stderr
        return [json.loads(line) for line in shown.stdout.splitlines()]

    for dimension in ("tenant", "user", "agent", "model", "day", "status", "source", "trace", "span"):
        assert sum(pico(row["total_cost"] or "0.0") for row in ask("cost", "--by", dimension)) == cost, dimension
    if store == "postgres":
        assert database.sql("SELECT sum(total_cost) * 1000000000000 FROM cost_rollups")[0][0] == cost
        return
    rollups = "SELECT sum(total_cost_micro) * 1000000 + sum(total_cost_pico) FROM cost_rollups"
    found = [tables.reader(path).execute(rollups).fetchone()[0] for path in tables.day_files(tmp_path / "hot")]
    assert sum(number or 0 for number in found) == cost


def test_two_price_lists_are_compared(tmp_path):
    def prices(name, *rows):
        path = tmp_path / name
        path.write_text("models:\n" + "".join(f"  - {{ {row} }}\n" for row in rows))
        return str(path)

    def compare(old, new):
        shown = command("prices", "diff", old, new)
        return shown.returncode, shown.stdout.splitlines()

    same = "provider: p, model: same, prices: { input: 1 }"
    old = prices(
        "old.yaml",
        same,
        "provider: p, model: dearer, prices: { input: 2.5, output: 10 }",
        "provider: p, model: gone, prices: { input: 1 }",
        "provider: p, model: dated, from: 2026-01-01, prices: { input: 1 }",
        "provider: p, model: own, tenant: acme, prices: { input: 1 }",
        "provider: p, model: twice, until: 2026-01-01, prices: { input: 1 }",
        "provider: p, model: twice, from: 2026-01-01, prices: { input: 2 }",
        "provider: p, model: rich, aliases: [r], until: 2027-01-01, prices: { input: 1 }, long_context: { above: 10, input: 2 }, "
        "service_tiers: { batch: { times: 0.5 } }, regions: { eu: { times: 1.1 } }, "
        'off_peak: { windows: [ { weekdays: [6], hours: ["00:00-24:00"] } ], input: 0.5 }',
    )
    new = prices(
        "new.yaml",
        "provider: p, model: rich, aliases: [s], until: 2027-01-02, prices: { input: 1 }, long_context: { above: 11, input: 2 }, "
        "service_tiers: { batch: { times: 0.4 } }, regions: { us: { times: 1.1 } }, "
        'off_peak: { windows: [ { weekdays: [7], hours: ["00:00-24:00"] } ], input: 0.5 }',
        "provider: p, model: twice, until: 2026-01-01, prices: { input: 1 }",
        "provider: p, model: twice, from: 2026-01-01, prices: { input: 3 }",
        "provider: p, model: own, tenant: acme, prices: { input: 4 }",
        "provider: p, model: dated, from: 2026-01-02, prices: { input: 1 }",
        "provider: p, model: dearer, prices: { input: 2.75, cache_read: 0.25 }",
        same,
    )
    assert compare(old, old) == (0, []) and compare(new, new) == (0, [])
    status, lines = compare(old, new)
    assert status == 1
    assert lines == [
        "- p/dated@2026-01-01",
        "+ p/dated@2026-01-02",
        "  p/dearer: input 2.5 -> 2.75",
        "  p/dearer: output 10 -> none",
        "  p/dearer: cache_read none -> 0.25",
        "- p/gone",
        "  p/own for acme: input 1 -> 4",
        "  p/rich: aliases differs",
        "  p/rich: until differs",
        "  p/rich: long_context differs",
        "  p/rich: service_tiers differs",
        "  p/rich: regions differs",
        "  p/rich: off_peak differs",
        "  p/twice@2026-01-01: input 2 -> 3",
    ]
    # A list that is none says so, and nothing else.
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("models: [ { provider: p, model: m, prices: { input: -1 } } ]\n")
    refused = command("prices", "diff", old, str(wrong))
    assert refused.returncode not in (0, 1) and "six decimals" in refused.stderr and refused.stdout == ""


def test_a_price_is_that_of_the_day_and_of_whoever_asks(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "models:\n"
        "  - { provider: openai, model: gpt-4o, until: 2026-06-01, prices: { input: 1 } }\n"
        "  - { provider: openai, model: gpt-4o, from: 2026-06-01, prices: { input: 2 } }\n"
        "  - { provider: openai, model: gpt-4o, tenant: acme, prices: { input: 3 } }\n"
        "  - { provider: ollama, model: llama, prices: { input: 4 } }\n"
    )

    def match(*arguments):
        shown = command("prices", "match", *arguments, "--overrides", own, "--prices", ROOT / "prices.yaml")
        prices = [line for line in shown.stdout.splitlines() if line.startswith("price ")]
        return prices[0].removeprefix("price ") if shown.returncode == 0 else shown.returncode

    answered = ("gpt-4o-2024-08-06", "--provider", "openai")
    assert match(*answered, "--at", "2026-05-31T23:59:59Z") == "openai/gpt-4o (own)"
    assert match(*answered, "--at", "2026-06-01") == "openai/gpt-4o@2026-06-01 (own)"
    assert match(*answered, "--tenant", "acme") == "openai/gpt-4o for acme"
    assert match("llama", "--provider", "ollama") == "ollama/llama (own)"
    assert match("gpt-4o", "--provider", "together") == 1


def test_a_budget_is_said_once_in_several_lives(start, dice, tmp_path):
    config = CONFIG.format(
        prices=json.dumps(str(ROOT / "prices.yaml")), hot=tmp_path / "hot", journal=tmp_path / "journal"
    )

    def check(weir):
        host, port = next(iter(weir.endpoints("operations").values())).rsplit(":", 1)
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=10)) as connection:
            connection.request("GET", "/api/v1/budgets/check?user=ann")
            response = connection.getresponse()
            return json.loads(response.read()) if response.status == 200 else None

    def crossings(weir):
        return [line for line in weir.records() if line.get("message") == "a budget was used up to a threshold"]

    lines = []
    for life in range(1, 4):
        weir = start(text=config)
        call = span(life, life, 0, time.time_ns(), "chat", (1_000, 100), **{"user.id": "ann"})
        assert send(weir.endpoint, [call])
        spent = f"{life * (1_000 * INPUT + 100 * OUTPUT) / 10**12:.12f}"
        eventually(lambda: (check(weir) or {"budgets": [{}]})["budgets"][-1].get("spent") == spent, weir.log, 30)
        answer = check(weir)
        assert answer["allowed"] and [budget["state"] for budget in answer["budgets"]] == ["soft", "ok"]
        # The answer may come before the line.
        eventually(lambda: life > 1 or crossings(weir), weir.log, 30)
        lines += crossings(weir)
        weir.kill()
    assert [line["reached"] for line in lines] == ["soft"]
