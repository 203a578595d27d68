"""Destinations that are down, slow or gone while spans come in."""

import time

from backend import HANG, OK
from ledger import Ledger, Load, send
from waiting import eventually
from weir import archive, forward


def test_what_comes_while_a_destination_is_down_arrives_when_it_is_back(start, backend):
    backend.stop()
    weir = start(exporters={"otlp_http": forward(backend.url)})
    spans = send(weir)
    eventually(lambda: weir.metric("weir_exporter_failed_attempts") > 2, weir.log)
    backend.start()
    backend.gets(spans, weir.log)
    weir.drain()
    assert set(backend.taken) == spans


def test_a_destination_that_is_down_over_many_restarts_gets_everything(start, backend, journal):
    backend.stop()
    keys = dict(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    spans = set()
    for _ in range(3):
        weir = start(**keys)
        spans |= send(weir)
        weir.stop()
    backend.start()
    weir = start(**keys)
    weir.drain()
    assert set(backend.taken) == spans


def test_an_exporter_that_hangs_does_not_hold_up_the_others(start, backends):
    sound, hanging = backends(), backends(lambda _: HANG)
    weir = start(
        exporters={
            "otlp_http/hanging": forward(hanging.url, sending_queue={"num_consumers": 1}),
            "otlp_http/sound": forward(sound.url),
            "archive": archive("archive"),
        }
    )
    spans = send(weir)
    sound.gets(spans, weir.log)
    eventually(lambda: hanging.moods[HANG] > 0, weir.log)
    spans |= send(weir)
    sound.gets(spans, weir.log)
    eventually(lambda: weir.metric("weir_archive_files_published") > 0, weir.log)
    assert not hanging.taken
    hanging.mood = lambda _: OK
    hanging.gets(spans, weir.log)


def test_sigterm_under_load_with_a_dead_destination_ends_soon_and_the_next_start_delivers(
    start, dice, backend, journal, tmp_path
):
    backend.stop()
    ledger = Ledger()
    keys = dict(
        exporters={"archive": archive(tmp_path / "archive"), "otlp_http": forward(backend.url)},
        journal=journal,
    )
    weir = start(**keys)
    with Load(ledger, dice.random()) as load:
        load.endpoint = weir.endpoint
        eventually(lambda: len(ledger.acknowledged) > 200, weir.log)
        began = time.monotonic()
        weir.stop()
        assert time.monotonic() - began < 5
    backend.start()
    weir = start(**keys)
    weir.drain()
    weir.stop()
    assert not ledger.compare(tmp_path / "archive", backend.taken)
