"""The fourteen ways in which the OpenTelemetry Collector loses spans that it has acknowledged, each with the test that
shows that Weir does not.

| mode | what loses spans there                         | shown by |
|------|------------------------------------------------|----------|
| L1   | 200 for what is in memory only                 | here, `test_kill.py` |
| L2   | no fsync before the 200                        | here, `test_disk.py` |
| L3   | given up after five minutes of retries         | here |
| L4   | dropped at SIGTERM while a destination is down | `test_destinations.py`: `test_sigterm_under_load_…` |
| L5   | a crash while starting                         | `test_kill.py`: "recovery", `…_while_a_journal_is_made_…` |
| L6   | a damaged store is skipped or overwritten      | `test_journal.py`: `test_a_damaged_…` |
| L7   | a full queue fails all branches of a fan-out   | here |
| L8   | a batch processor answers before delivery      | here |
| L9   | 413 drops the whole batch                      | here |
| L10  | a branch that blocks stalls the others         | `test_destinations.py`: `test_an_exporter_that_hangs_…` |
| L11  | a bad string spoils its batch                  | here, `test_data_model.py` |
| L12  | what is rejected for good is gone              | here |
| L13  | a full disk                                    | `test_disk.py`: `test_a_full_disk_…` |
| L14  | memory runs out                                | here |
"""

import base64
import json
from collections import Counter

import pytest

import archives
from backend import OK
from faults import killed
from ledger import send
from otlp import a_body, a_span, spans_as_bytes, text
from waiting import eventually
from weir import archive, command, forward
from wire import Closed, post


def test_L1_what_was_answered_200_outlives_a_kill(start, backend, journal):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = send(weir, 1)
    weir.kill()
    backend.start()
    backend.gets(spans, start(**keys).log)


def test_L2_nothing_is_answered_200_before_it_is_synced(start, faults):
    # Which is how the disk of a power cut differs from that of a kill.
    weir = start(env=faults.at("fdatasync", "/traces/0", "before"))
    with pytest.raises(Closed):
        post(weir.endpoint, a_body())
    killed(weir)


def test_L3_retries_never_end(start, backend):
    backend.mood = lambda _: 503
    impatient = {"initial_interval": "1ms", "max_interval": "1ms"}
    weir = start(exporters={"otlp_http": forward(backend.url, retry_on_failure=impatient)})
    spans = send(weir)
    eventually(lambda: backend.moods[503] > 200, weir.log)
    backend.mood = lambda _: OK
    backend.gets(spans, weir.log)


def test_L7_a_branch_that_is_full_has_resends_refused_and_doubles_nothing_for_the_others(start, backend, journal):
    backend.stop()
    weir = start(exporters={"archive": archive("archive"), "otlp_http": forward(backend.url)}, journal=journal)
    spans, refused = fill(weir)
    assert refused
    backend.start()
    for body in refused.values():
        eventually(lambda: post(weir.endpoint, body).status == 200, weir.log)  # noqa: B023
    weir.drain()
    archived = Counter(found.span.span_id for found in weir.spans())
    assert archived == Counter(spans | refused.keys())
    assert set(backend.taken) == spans | refused.keys()


def test_L7_a_branch_that_may_skip_costs_the_others_nothing_and_is_counted(start, backend, journal):
    backend.stop()
    skipping = forward(backend.url, on_full="skip", sending_queue={"num_consumers": 1})
    # One tenant, as by default: all that the other one holds is its own.
    weir = start(exporters={"archive": archive("archive"), "otlp_http": skipping}, journal=journal)
    spans, refused = fill(weir)
    # The archive takes a second until it lets go of what it has.
    for body in refused.values():
        eventually(lambda: post(weir.endpoint, body).status == 200, weir.log)  # noqa: B023
    spans |= refused.keys()
    eventually(lambda: weir.metric("weir_exporter_missed_spans", exporter="otlp_http", reason="skipped") > 0, weir.log)
    assert "skipped" in weir.get("/healthz")[2]
    backend.start()
    weir.drain()
    missed = weir.metric("weir_exporter_missed_spans", exporter="otlp_http")
    assert weir.metric("weir_exporter_missed_spans", exporter="archive") == 0
    # The batch of 4 MiB that was under way counts as skipped, since it might not have arrived.
    assert len(spans) - len(backend.taken) <= missed <= len(spans) - len(backend.taken) + 42
    assert {found.span.span_id for found in weir.spans()} == spans


def test_what_was_answered_and_not_yet_synced_is_delivered_at_the_end(start, journal):
    late = {**journal, "durability": "interval", "sync_interval": "60s"}
    weir = start(exporters={"archive": archive("archive")}, journal=late)
    spans = [a_span() for _ in range(6)]
    for span in spans:
        assert post(weir.endpoint, a_body(span)).status == 200
    assert {found.span.span_id for found in weir.spans()} == {span.span_id for span in spans}


def fill(weir):
    """Sends more than a journal of 16 MiB takes; returns what was acknowledged, and the bodies that were not."""
    spans, refused = set(), {}
    for _ in range(30):
        batch = [a_span(attributes=[text("filler", "x" * 100_000)]) for _ in range(6)]
        body = a_body(*batch)
        answer = post(weir.endpoint, body)
        if answer.status == 200:
            spans |= {span.span_id for span in batch}
        else:
            assert answer.status in (429, 503) and answer.retry_after() >= 1
            refused |= {span.span_id: body for span in batch}
    return spans, refused


def test_L8_a_batch_processor_answers_for_nothing(start, backend, journal):
    text = f"""\
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: "127.0.0.1:0" }} }} }}
processors:
  batch: {{ timeout: 1h, send_batch_size: 8192 }}
exporters:
  otlp_http: {json.dumps(forward(backend.url))}
service:
  journal: {json.dumps(journal)}
  telemetry: {{ metrics: {{ endpoint: "127.0.0.1:0" }} }}
  pipelines: {{ traces: {{ receivers: [otlp], processors: [batch], exporters: [otlp_http] }} }}
"""
    backend.stop()
    weir = start(text=text)
    spans = send(weir, 3)
    weir.kill()
    backend.start()
    backend.gets(spans, start(text=text).log)


def test_L9_what_is_too_large_together_goes_in_parts(start, backend):
    giant = a_span()
    backend.mood = lambda spans: 413 if len(spans) > 4 or giant.span_id in spans else OK
    weir = start(exporters={"otlp_http": forward(backend.url)})
    ordinary = [a_span() for _ in range(40)]
    assert post(weir.endpoint, a_body(*ordinary[:20], giant, *ordinary[20:])).rejected() == 0
    spans = {span.span_id for span in ordinary} | send(weir)
    backend.gets(spans, weir.log)
    weir.drain()
    assert set(backend.taken) == spans
    assert weir.metric("weir_exporter_dead_letter_spans") == 1


def test_L11_a_bad_string_costs_its_own_span(start, backend):
    weir = start(exporters={"otlp_http": forward(backend.url)})
    good, bad = a_span(), a_span(name="PLACE")
    encoded = [good.SerializeToString(), bad.SerializeToString().replace(b"PLACE", b"\xff" * 5)]
    assert post(weir.endpoint, spans_as_bytes(*encoded)).rejected() == 1
    spans = send(weir) | {good.span_id}
    backend.gets(spans, weir.log)
    weir.drain()
    assert set(backend.taken) == spans


def test_L12_what_a_destination_rejects_is_kept_and_can_be_sent_again(start, backend):
    backend.mood = lambda _: 400
    weir = start(exporters={"otlp_http": forward(backend.url)})
    spans = send(weir, 3)
    eventually(lambda: weir.metric("weir_exporter_dead_letter_spans") == 3, weir.log)
    weir.drain()
    (letters,) = (weir.directory / "data/journal").rglob("letters.jsonl")
    kept = [base64.b64decode(json.loads(line)["otlp"]) for line in letters.read_text().splitlines()]
    assert {found.span.span_id for body in kept for found in spans_of(body)} == spans
    backend.mood = lambda _: OK
    replay = command("replay", "--config", str(weir.config), "--exporter", "otlp_http", cwd=weir.directory)
    assert replay.returncode == 0, replay
    assert set(backend.taken) == spans


def spans_of(body):
    return archives.flat(archives.TracesData.FromString(body))


def test_L14_what_waits_is_on_the_disk_and_not_in_memory(start, backend):
    backend.stop()
    weir = start(exporters={"otlp_http": forward(backend.url)})
    filler = text("filler", "x" * (1 << 20))
    before = weir.memory_peak()
    for _ in range(160):
        assert post(weir.endpoint, a_body(a_span(attributes=[filler]))).status == 200
    assert weir.metric("weir_journal_bytes") > 160 << 20
    backend.start()
    weir.drain()
    assert len(backend.taken) == 160
    # The newest 64 MiB are at hand for exporters that keep up.
    assert weir.memory_peak() - before < 120 << 20
