"""The journal over restarts: resends, damage, exporters that come and go."""

import re

import pytest

import archives
from ledger import send
from otlp import a_body, a_span, gzipped, request_json, span_json, text
from weir import archive, command, configuration, forward
from wire import post, post_json


def names(directory):
    return sorted(found.span.name for found in archives.spans(directory))


# MARK: Resends


def partly_sound():
    """A request of which one span is taken and one is not."""
    return a_body(a_span(name="sound"), a_span(name="unsound", span_id=b"short"))


def test_a_resend_gets_the_first_answer_and_is_archived_once(start, journal, tmp_path):
    keys = dict(exporters={"archive": archive(tmp_path / "archive")}, journal=journal)
    body = partly_sound()
    weir = start(**keys)
    first = post(weir.endpoint, body)
    assert first.rejected() == 1
    assert post(weir.endpoint, body).body == first.body
    assert post(weir.endpoint, gzipped(body), encoding="gzip").body == first.body
    assert weir.metric("weir_receiver_duplicate_requests") == 2
    assert weir.metric("otelcol_receiver_accepted_spans") == 1
    weir.stop()
    weir = start(**keys)
    assert post(weir.endpoint, body).body == first.body
    assert weir.metric("weir_receiver_duplicate_requests") == 1
    weir.kill()
    weir = start(**keys)
    assert post(weir.endpoint, body).body == first.body
    weir.stop()
    assert names(tmp_path / "archive") == ["sound"]


def test_another_body_or_encoding_is_no_resend(start):
    weir = start()
    span = a_span(name="same")
    for service in ("shop", "another"):
        assert post(weir.endpoint, a_body(span, service=service)).status == 200
    value = request_json(span_json(name="same", traceId=span.trace_id.hex(), spanId=span.span_id.hex()))
    for body in (value, {**value, "unknown": 1}):
        assert post_json(weir.endpoint, body).status == 200
    assert weir.metric("weir_receiver_duplicate_requests") == 0
    weir.stop()
    assert names(weir.archive) == ["same"] * 4


def test_without_a_window_everything_is_kept(start):
    weir = start(journal={"dedupe_window": "0s"})
    body = a_body(a_span(name="twice"))
    for _ in range(2):
        assert post(weir.endpoint, body).status == 200
    assert weir.metric("weir_receiver_duplicate_requests") == 0
    weir.stop()
    assert names(weir.archive) == ["twice", "twice"]


# MARK: Damage


def large(count=40):
    """Spans of a tenth of a segment."""
    return [a_span(attributes=[text("filler", "x" * 100_000)]) for _ in range(count)]


def damage(path):
    """Turns round 64 bytes in the middle of a file."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(byte ^ 0xFF for byte in data[middle : middle + 64])
    path.write_bytes(data)


@pytest.mark.parametrize("which", ["a sealed one", "one without its index", "the last one"])
def test_a_damaged_segment_costs_what_is_damaged_and_is_told(start, journal, backend, tmp_path, which):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = large()
    for span in spans:
        assert post(weir.endpoint, a_body(span)).status == 200
    weir.stop()
    segments = sorted((tmp_path / "journal/traces").glob("0*.seg"))
    assert len(segments) >= 4
    segment = segments[-1 if which == "the last one" else 1]
    if which == "one without its index":
        segment.with_suffix(".idx").unlink()
    damage(segment)
    backend.start()
    weir = start(**keys)
    weir.drain()
    lost = {span.span_id for span in spans} - backend.taken.keys()
    assert 1 <= len(lost) <= 2
    assert weir.metric("weir_journal_lost_records", reason="damaged") == len(lost), weir.log()
    # The segment is used again; its damaged bytes are not lost with it.
    aside = list(segment.parent.glob(f"quarantine-{segment.name}-*"))
    assert 1 <= len(aside) <= 2 and any(bytes(64 * [ord("x") ^ 0xFF]) in path.read_bytes() for path in aside)
    health = weir.get("/healthz")[2]
    assert health.startswith("degraded\n") and "damaged" in health
    assert re.search(r"level=(error|critical) .*reason=damaged", weir.log())
    # What is new is not touched by it.
    backend.gets(send(weir), weir.log)


def flip(path, offset):
    """Turns round one bit."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("place", ["header", "body"])
def test_the_last_record_is_missed_too(start, journal, backend, tmp_path, place):
    """Nothing stands behind it that would tell that it was kept."""
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = send(weir, 5)
    weir.stop()
    (segment,) = (tmp_path / "journal/traces").glob("0*.seg")
    # Each request was a group of its own, which begins a block.
    flip(segment, 5 * 4096 + (20 if place == "header" else 100))
    verify = command("journal", "verify", "--config", weir.config)
    assert verify.returncode == 1 and "damaged: records 5 to 5" in verify.stdout and "torn" not in verify.stdout
    backend.start()
    weir = start(**keys)
    weir.drain()
    assert len(spans - backend.taken.keys()) == 1
    assert weir.metric("weir_journal_lost_records", reason="damaged") == 1
    assert "damaged 5 to 5" in weir.get("/healthz")[2]
    assert list(segment.parent.glob("quarantine-*"))
    backend.gets(send(weir), weir.log)


def test_a_bad_sector_costs_what_stood_in_it(start, faults, journal, backend, tmp_path):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = large()
    for span in spans:
        assert post(weir.endpoint, a_body(span)).status == 200
    weir.stop()
    segment = sorted((tmp_path / "journal/traces").glob("0*.seg"))[1]
    backend.start()
    weir = start(**keys, env=faults.at("pread", segment.name, "EIO", "@500000"))
    weir.drain()
    assert len({span.span_id for span in spans} - backend.taken.keys()) == 1
    assert weir.metric("weir_journal_lost_records", reason="damaged") == 1
    assert "damaged" in weir.get("/healthz")[2]
    backend.gets(send(weir), weir.log)


def test_a_header_in_a_bad_sector_costs_nothing_of_a_segment_that_is_full(start, faults, journal, backend, tmp_path):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = large()
    for span in spans:
        assert post(weir.endpoint, a_body(span)).status == 200
    weir.stop()
    segment = sorted((tmp_path / "journal/traces").glob("0*.seg"))[1]
    backend.start()
    weir = start(**keys, env=faults.at("pread", segment.name, "EIO", "@0"))
    backend.gets({span.span_id for span in spans}, weir.log)
    assert weir.metric("weir_journal_lost_records") == 0


def test_a_damaged_cursor_delivers_again_rather_than_not(start, journal, backend, tmp_path):
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(**keys)
    spans = send(weir)
    weir.drain()
    weir.stop()
    cursor = tmp_path / "journal/traces/otlp_http.cursor"
    cursor.write_bytes(bytes(cursor.stat().st_size))
    backend.stop()
    weir = start(**keys)
    spans |= send(weir)
    backend.start()
    backend.gets(spans, weir.log)


# MARK: Exporters


def test_what_a_renamed_pipeline_leaves_is_said_at_the_start(start, journal, backend):
    backend.stop()
    text = configuration(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    weir = start(text=text)
    assert post(weir.endpoint, a_body(a_span(), a_span())).status == 200
    weir.stop()
    weir = start(text=text.replace("    traces:\n", "    traces/new:\n"))
    [line] = [line for line in weir.records() if "is not configured" in line.get("message", "")]
    assert (line["pipeline"], line["exporter"], line["spans"]) == ("traces", "otlp_http", "2")
    weir.stop()
    weir = start(text=text)
    assert "is not configured" not in weir.log()
    backend.start()
    weir.drain()
    weir.stop()


def test_an_exporter_that_was_removed_goes_on_where_it_was_when_it_comes_back(start, journal, backend, tmp_path):
    backend.stop()
    kept = {"archive": archive(tmp_path / "archive")}
    both = {**kept, "otlp_http": forward(backend.url)}
    weir = start(exporters=both, journal=journal)
    spans = send(weir)
    weir.stop()
    weir = start(exporters=kept, journal=journal)
    assert re.search(r"exporter=otlp_http .*not configured any more", weir.log()) or (
        "not configured any more" in weir.log() and f"spans={len(spans)}" in weir.log()
    )
    spans |= send(weir)
    weir.stop()
    backend.start()
    weir = start(exporters=both, journal=journal)
    spans |= send(weir)
    weir.drain()
    assert set(backend.taken) == spans
    weir.stop()
    assert sorted(found.span.span_id for found in archives.spans(tmp_path / "archive")) == sorted(spans)


def test_an_exporter_that_is_new_gets_what_comes_from_then_on(start, journal, backend, tmp_path):
    kept = {"archive": archive(tmp_path / "archive")}
    weir = start(exporters=kept, journal=journal)
    send(weir)
    weir.stop()
    weir = start(exporters={**kept, "otlp_http": forward(backend.url)}, journal=journal)
    spans = send(weir)
    weir.drain()
    assert set(backend.taken) == spans


def test_a_second_process_on_a_journal_says_so_and_exits(start, journal, tmp_path):
    weir = start(journal=journal)
    # What the first one is about to write to its end.
    parked = next(tmp_path.rglob("parked/archive")) / "000001.jsonl"
    parked.write_text('{"half":')
    second = start(journal=journal, ready=False)
    assert second.wait() == 1
    assert "another process uses" in second.log()
    assert parked.read_text() == '{"half":'
    send(weir)


@pytest.mark.torture
def test_a_journal_may_get_another_size(start, journal, tmp_path):
    spans = []
    for size in ("16MiB", "1GiB", "16MiB", "1GiB"):
        weir = start(
            exporters={"archive": archive(tmp_path / "archive")}, journal={**journal, "max_bytes": size}
        )
        # One that is larger than a segment of the smaller journal, and more than one of those holds.
        for span in (*large(2), a_span(attributes=[text("filler", "x" * (3 << 20))]), *large(10)):
            assert post(weir.endpoint, a_body(span)).status == 200
            spans.append(span.span_id)
        weir.drain()
        weir.stop()
    assert sorted(found.span.span_id for found in archives.spans(tmp_path / "archive")) == sorted(spans)
