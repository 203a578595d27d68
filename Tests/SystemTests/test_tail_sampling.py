"""Tail sampling from end to end: whole traces, late spans, and nothing lost or doubled by kill -9."""

import json
import pathlib
import random
from collections import Counter

import pytest

from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based, composite_sampler
from opentelemetry.sdk.trace.sampling import Decision

import archives
import tables
from faults import killed
from keys import new_key
from ledger import Ledger, Load
from otlp import a_body, a_span, new_ids
from waiting import eventually
from weir import archive, command, configuration, sqlite
from wire import post

ERROR = {"code": 2}


def staged(sampling, **keys):
    """A configuration whose pipeline has the stage."""
    text = configuration(**keys)
    text = text.replace("exporters:\n", f"processors:\n  tail_sampling: {sampling}\nexporters:\n", 1)
    return text.replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [tail_sampling]\n")


def a_trace(count, **last):
    """A root and its children; `last` are fields of the last child."""
    trace, root = new_ids()
    children = [a_span(trace_id=trace, parent_span_id=root) for _ in range(count - 1)]
    if last and children:
        children[-1] = a_span(trace_id=trace, parent_span_id=root, **last)
    return [a_span(trace_id=trace, span_id=root), *children]


def ids(spans):
    return {span.span_id for span in spans}


def decisions(directory, tenant="default"):
    """What was decided about a tenant's traces, by trace id."""
    found = {}
    for path in sorted(pathlib.Path(directory).glob("decisions*"), reverse=True):
        for line in path.read_text().splitlines():
            trace, owner, decision, threshold, _, policy = line.split(" ", 5)
            if owner != tenant:
                continue
            assert found.setdefault(trace, (decision, threshold, policy)) == (decision, threshold, policy), trace
    return found


ERRORS_ONLY = """{ decision_wait: 5s, decision_wait_after_root_received: 200ms, policies: [
    { name: errors, type: status_code, status_code: { status_codes: [ERROR] } } ] }"""


def test_whole_traces_are_kept_or_left_out(start, tmp_path):
    exporters = {"archive": archive(tmp_path / "archive")}
    weir = start(text=staged(ERRORS_ONLY, exporters=exporters))
    wanted, unwanted = a_trace(5, status=ERROR), a_trace(5)
    # Not in one request, and not in their order.
    for span in [*reversed(wanted), *unwanted]:
        assert post(weir.endpoint, a_body(span)).status == 200
    stored = lambda: ids(found.span for found in archives.spans(tmp_path / "archive"))
    eventually(lambda: stored() == ids(wanted), weir.log, 15)
    late = [a_span(trace_id=wanted[0].trace_id, parent_span_id=wanted[0].span_id)]
    lost = [a_span(trace_id=unwanted[0].trace_id, parent_span_id=unwanted[0].span_id, status=ERROR)]
    post(weir.endpoint, a_body(*late, *lost))
    eventually(lambda: stored() == ids(wanted + late), weir.log, 15)
    weir.stop()
    for found in archives.spans(tmp_path / "archive"):
        values = {pair.key: pair.value.string_value for pair in found.span.attributes}
        assert values["weir.sampling.rule"] == "errors"
        assert found.span.trace_state == "ot=th:0"
    made = decisions(weir.directory / "data/journal/traces/stage")
    assert made[wanted[0].trace_id.hex()] == ("kept", "0", "errors")
    assert made[unwanted[0].trace_id.hex()] == ("dropped", "-", "")


def test_what_was_decided_is_known_without_hot_tables(start, tmp_path):
    weir = start(text=staged(ERRORS_ONLY, exporters={"archive": archive(tmp_path / "archive")}))
    spans = a_trace(2, status=ERROR)
    assert post(weir.endpoint, a_body(*spans)).status == 200
    made = weir.directory / "data/journal/traces/stage"
    eventually(lambda: decisions(made), weir.log, 15)
    told = command("explain", spans[0].trace_id.hex(), "--config", str(weir.config), cwd=weir.directory)
    assert told.returncode == 0 and 'kept by policy "errors"' in told.stdout, told
    assert "no exporter has hot tables" in told.stdout, told


def test_a_tenant_decides_nothing_about_anothers_trace_whose_id_it_knows(start, tmp_path):
    file, keys, entries = tmp_path / "keys.yaml", {}, []
    for tenant in ("shop", "bank"):
        keys[tenant], entry = new_key(tenant, "ingest")
        entries.append(entry)
    file.write_text("keys:\n" + "".join(entries))
    recall = f"recall: {{ directory: {tmp_path / 'recall'}, max_bytes: 16MiB, max_age: 10m }}"
    exporters = {"archive": archive(tmp_path / "archive"), "sqlite": sqlite(tmp_path / "hot")}
    text = staged(
        ERRORS_ONLY.rstrip()[:-1] + f", {recall} }}", http={"auth": {"authenticator": "api_keys"}}, exporters=exporters
    )
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file} }}\n")
    trace, root = new_ids()
    count = lambda: tuple(weir.metric(f"weir_tail_sampling_{name}_spans") for name in ("kept", "recall"))

    def send(tenant, **fields):
        span = a_span(trace_id=trace, parent_span_id=root, **fields)
        headers = {"Authorization": f"Bearer {keys[tenant]}"}
        assert post(weir.endpoint, a_body(span), headers=headers.items()).status == 200
        return span

    foreign = send("shop")
    eventually(lambda: count() == (0, 1), weir.log, 15)
    own = [send("bank", status=ERROR)]
    eventually(lambda: count() == (1, 1), weir.log, 15)
    # What comes late follows the decision about its own tenant's trace.
    send("shop", status=ERROR)
    own.append(send("bank"))
    eventually(lambda: count() == (2, 2), weir.log, 15)
    made = weir.directory / "data/journal/traces/stage"
    eventually(lambda: all(decisions(made, tenant) for tenant in keys), weir.log, 15)
    assert {tenant: decisions(made, tenant)[trace.hex()][0] for tenant in keys} == {"shop": "dropped", "bank": "kept"}
    for tenant, outcome in (("bank", 'kept by policy "errors"'), ("shop", "left out by no policy")):
        told = command("explain", trace.hex(), "--tenant", tenant, "--config", str(weir.config), cwd=weir.directory)
        assert told.returncode == 0 and outcome in told.stdout, told
    promote = ["promote", "--config", str(weir.config), "--trace", trace.hex()]
    assert command(*promote, "--tenant", "bank", cwd=weir.directory).returncode == 1
    wrong = command(*promote, "--tenant", "a b", cwd=weir.directory)
    assert wrong.returncode == 64 and "wanted a tenant" in wrong.stderr, wrong
    assert command(*promote, "--tenant", "shop", cwd=weir.directory).stdout == "1 trace, 2 spans\n"
    weir.stop()
    stored = {tenant: archives.spans(tmp_path / f"archive/tenant={tenant}") for tenant in keys}
    assert ids(found.span for found in stored["bank"]) == ids(own)
    assert foreign.span_id in ids(found.span for found in stored["shop"]) and len(stored["shop"]) == 2


def test_what_was_not_kept_is_called_back(start, tmp_path):
    recall = f"recall: {{ directory: {tmp_path / 'recall'}, max_bytes: 16MiB, max_age: 10m }}"
    sampling = ERRORS_ONLY.rstrip()[:-1] + f", {recall} }}"
    weir = start(text=staged(sampling, exporters={"archive": archive(tmp_path / "archive")}))
    trace, other = a_trace(3), a_trace(2, name="GET /slow")
    for spans in (trace, other):
        assert post(weir.endpoint, a_body(*spans)).status == 200
    eventually(lambda: weir.metric("weir_tail_sampling_recall_spans") == 5, weir.log, 15)
    found = command("promote", "--config", str(weir.config), "--trace", trace[0].trace_id.hex(), cwd=weir.directory)
    assert (found.returncode, found.stdout) == (0, "1 trace, 3 spans\n"), found.stderr
    found = command("promote", "--config", str(weir.config), "--condition", 'name == "GET /slow"', cwd=weir.directory)
    assert (found.returncode, found.stdout) == (0, "1 trace, 2 spans\n"), found.stderr
    again = command("promote", "--config", str(weir.config), "--trace", trace[0].trace_id.hex(), cwd=weir.directory)
    assert again.returncode == 1
    weir.stop()
    stored = archives.spans(tmp_path / "archive")
    assert {span.span.span_id for span in stored} == ids(trace + other) and len(stored) == 5
    for span in stored:
        values = {pair.key: pair.value.string_value for pair in span.span.attributes}
        assert values["weir.sampling.rule"] == "promoted"


def test_decides_as_the_python_sdk_does(start, tmp_path):
    chance = random.Random(20260203)
    policy = "{ name: quarter, type: probabilistic, probabilistic: { sampling_percentage: 25 } }"
    sampling = f"{{ decision_wait: 1s, decision_wait_after_root_received: 100ms, policies: [ {policy} ] }}"
    weir = start(text=staged(sampling, exporters={"archive": archive(tmp_path / "archive")}))
    sampler = composite_sampler(composable_traceid_ratio_based(0.25))
    wanted, ids_ = {}, [chance.getrandbits(128) | 1 for _ in range(2_000)]
    for trace_id in ids_:
        result = sampler.should_sample(None, trace_id, "x")
        if result.decision == Decision.RECORD_AND_SAMPLE:
            wanted[trace_id.to_bytes(16, "big")] = result.trace_state.to_header()
    assert 400 < len(wanted) < 600
    for start_ in range(0, len(ids_), 200):
        spans = [a_span(trace_id=trace_id.to_bytes(16, "big")) for trace_id in ids_[start_:start_ + 200]]
        assert post(weir.endpoint, a_body(*spans)).status == 200
    kept = lambda: weir.metric("weir_tail_sampling_kept_spans") + weir.metric("weir_tail_sampling_sampled_out_spans")
    eventually(lambda: kept() == len(ids_), weir.log, 15)
    weir.stop()
    found = {found.span.trace_id: found.span.trace_state for found in archives.spans(tmp_path / "archive")}
    assert found == wanted


def test_a_decision_is_explained(start, tmp_path):
    exporters = {"archive": archive(tmp_path / "archive"), "sqlite": sqlite(tmp_path / "hot")}
    weir = start(text=staged(ERRORS_ONLY, exporters=exporters))
    wanted, unwanted = a_trace(2, status=ERROR), a_trace(2)
    assert post(weir.endpoint, a_body(*wanted, *unwanted)).status == 200
    made = weir.directory / "data/journal/traces/stage"
    eventually(lambda: len(decisions(made)) == 2, weir.log, 15)

    def explain(trace, *options):
        told = command("explain", trace, "--config", str(weir.config), *options, cwd=weir.directory)
        assert told.returncode == 0, told.stderr
        return told.stdout

    eventually(lambda: '2 stored, kept by rule "errors"' in explain(wanted[0].trace_id.hex()), weir.log, 15)
    text = explain(wanted[0].trace_id.hex())
    assert "tail_sampling of traces decided at 20" in text and 'kept by policy "errors", threshold 0\n' in text
    assert ": left out by no policy\n" in explain(unwanted[0].trace_id.hex())
    assert "tail_sampling of traces has written nothing of it" in explain("ab" * 16)
    told = json.loads(explain(unwanted[0].trace_id.hex(), "--format", "json"))
    assert [(one["pipeline"], one["processor"], one["kept"]) for one in told["decisions"]] == [
        ("traces", "tail_sampling", False)
    ]


def test_an_incident_stores_what_was_left_out_just_before(start, tmp_path):
    recall = f"recall: {{ directory: {tmp_path / 'recall'}, max_bytes: 16MiB, max_age: 10m }}"
    sampling = ERRORS_ONLY.rstrip()[:-1] + f", {recall} }}"
    text = staged(sampling, exporters={"archive": archive(tmp_path / "archive")})
    weir = start(text=text.replace("service:\n", "service:\n  operations: { endpoint: 127.0.0.1:0 }\n", 1))
    url = f"http://{next(iter(weir.endpoints('operations').values()))}"
    before, during = a_trace(3), a_trace(2)
    assert post(weir.endpoint, a_body(*before)).status == 200
    eventually(lambda: weir.metric("weir_tail_sampling_recall_spans") == 3, weir.log, 15)
    done = command("burst", "--url", url, "--for", "10m", "--reason", "incident 7")
    assert done.returncode == 0, done.stderr
    assert post(weir.endpoint, a_body(*during)).status == 200
    stored = lambda: ids(found.span for found in archives.spans(tmp_path / "archive"))
    eventually(lambda: stored() == ids(before + during), weir.log, 15)
    weir.stop()
    marks = {found.span.span_id: (found.span.trace_state, {pair.key: pair.value.string_value for pair in found.span.attributes})
             for found in archives.spans(tmp_path / "archive")}
    for spans, state, rule in ((before, "", "promoted"), (during, "ot=th:0", "burst")):
        for span in spans:
            assert marks[span.span_id][0] == state and marks[span.span_id][1]["weir.sampling.rule"] == rule


# Copies of open traces, late spans and limiters are all in it.
MIXED = """{ decision_wait: 1s, decision_wait_after_root_received: 300ms, copy_forward_after: 300ms, policies: [
    { name: errors, type: status_code, status_code: { status_codes: [ERROR] } },
    { name: some, type: probabilistic, probabilistic: { sampling_percentage: 30 } },
    { name: few, type: rate_limiting, rate_limiting: { spans_per_second: 50 } } ] }"""

# What is killed, by call and a part of the file's path; at one of the first so many.
KILLS = [
    ("", "", "", 1),
    ("pwrite", "/traces/0", "before half after", 60),
    ("fdatasync", "/traces/0", "before after", 60),
    ("pwrite", "/sampled/0", "before half after", 40),
    ("fdatasync", "/sampled/0", "before after", 40),
    ("pwrite", "/traces/stage.cursor", "before half after", 6),
    ("fdatasync", "/traces/stage.cursor", "before after", 3),
    ("pwrite", "/sampled/stage.cursor", "before half after", 4),
    ("write", "/stage/decisions", "before half after", 3),
    ("fsync", "/stage/decisions", "before after", 3),
    ("pwrite", "/sampled/archive.cursor", "before after", 4),
    ("rename", "/sampled/", "before after", 3),
]


def traces_in_pieces(dice):
    """Makes spans of a few traces at a time, roots among them, some in a trace that was decided long ago."""
    pool = [new_ids() for _ in range(100)]

    def make(**fields):
        if dice.random() < 0.05:
            pool[dice.randrange(100)] = new_ids()
        trace, root = pool[dice.randrange(100)]
        parent = {} if dice.random() < 0.1 else {"parent_span_id": root}
        error = {"status": ERROR} if dice.random() < 0.05 else {}
        return a_span(trace_id=trace, **parent, **error, **fields)

    return make


@pytest.mark.parametrize("count", [pytest.param(5), pytest.param(40, marks=pytest.mark.torture)])
def test_nothing_is_lost_doubled_or_decided_twice_by_kill_9(start, faults, dice, tmp_path, count):
    journal = {"directory": str(tmp_path / "journal"), "max_bytes": "32MiB"}
    exporters = {"archive": archive(tmp_path / "archive"), "sqlite": sqlite(tmp_path / "hot")}
    text = staged(MIXED, exporters=exporters, journal=journal)
    ledger, traces = Ledger(), {}
    make = traces_in_pieces(random.Random(dice.random()))

    def noted(**fields):
        span = make(**fields)
        traces[span.span_id] = span.trace_id.hex()
        return span

    def more(weir, spans):
        enough = len(ledger.acknowledged) + spans
        eventually(lambda: len(ledger.acknowledged) >= enough, weir.log, 30)

    plan = [KILLS[0]] + [dice.choice(KILLS) for _ in range(count - 1)]
    with Load(ledger, dice.random(), clients=2, make=noted) as load:
        for call, path, actions, latest in plan:
            number, env = dice.randint(1, latest), {}
            if call:
                action = dice.choice(actions.split())
                print(call, path, action, number)
                env = faults.at(call, path, action, number)
            weir = start(text=text, env=env, ready=False)
            eventually(lambda: weir.endpoints("otlp/http") or weir.process.poll(), weir.log)
            load.endpoint = next(iter(weir.endpoints("otlp/http").values()), None)
            if not call:
                more(weir, dice.randint(1, 2_000))
                weir.process.kill()
            killed(weir, 60)
        weir = start(text=text)
        load.endpoint = weir.endpoint
        more(weir, 200)
    eventually(lambda: weir.metric("weir_tail_sampling_waiting_records") == 0, weir.log, 30)
    weir.drain()
    for name in ("weir_journal_lost_records", "weir_exporter_missed_records", "weir_tail_sampling_lost_spans"):
        assert weir.metric(name) == 0, weir.log()
    weir.stop()

    made = decisions(tmp_path / "journal/traces/stage")
    stored = [found.span.span_id for found in archives.spans(tmp_path / "archive")]
    assert len(stored) == len(set(stored)), "spans are stored twice"
    assert tables.sqlite_ids(tmp_path / "hot") == Counter(stored), "the tables have others than the archive"
    undecided = {span for span in ledger.acknowledged if traces[span] not in made}
    assert not undecided, f"{len(undecided)} spans of traces that nobody decided about"
    wanted = {span for span in ledger.acknowledged if made[traces[span]][0] == "kept"}
    assert wanted <= set(stored), f"{len(wanted - set(stored))} spans of kept traces are not stored"
    wrong = {span for span in stored if made[traces[span]][0] != "kept"}
    assert not wrong, f"{len(wrong)} spans of traces that were not kept are stored"
    print(f"{len(made)} traces, {len(stored)} of {len(ledger.acknowledged)} spans stored")
    assert wanted and len(wanted) < len(ledger.acknowledged)
