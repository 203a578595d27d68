"""Destinations that are down, slow or gone while spans come in."""

import time

from destination import HANG, OK, Destination
from ledger import Ledger, Load
from otlp import a_body, a_span
from waiting import eventually
from weir import archive, forward
from wire import post

SMALL = {"max_bytes": "16MiB"}


def send(weir, count=20):
    """Sends spans that have to be acknowledged, one a request; returns their ids."""
    spans = [a_span() for _ in range(count)]
    for span in spans:
        assert post(weir.endpoint, a_body(span)).rejected() == 0
    return {span.span_id for span in spans}


def arrive(destination, spans, weir):
    """Waits until the destination has them all."""
    eventually(lambda: spans <= destination.accepted.keys(), weir.log)


def test_what_comes_while_a_destination_is_down_arrives_when_it_is_back(start, destination):
    destination.stop()
    weir = start(exporters={"otlp_http": forward(destination.endpoint)})
    spans = send(weir)
    eventually(lambda: weir.metric("weir_exporter_failed_attempts") > 2, weir.log)
    destination.start()
    arrive(destination, spans, weir)
    weir.drain()
    assert set(destination.accepted) == spans


def test_a_destination_that_is_down_over_many_restarts_gets_everything(start, destination, tmp_path):
    destination.stop()
    keys = dict(exporters={"otlp_http": forward(destination.endpoint)}, journal={"directory": str(tmp_path / "journal")})
    spans = set()
    for _ in range(3):
        weir = start(**keys)
        spans |= send(weir)
        weir.stop()
    destination.start()
    arrive(destination, spans, start(**keys))
    assert set(destination.accepted) == spans


def test_an_exporter_that_hangs_does_not_hold_up_the_others(start, destination):
    with Destination(lambda: HANG) as hanging:
        weir = start(
            exporters={
                "otlp_http/hanging": forward(hanging.endpoint, sending_queue={"num_consumers": 1}),
                "otlp_http/sound": forward(destination.endpoint),
                "archive": archive("archive"),
            }
        )
        spans = send(weir)
        arrive(destination, spans, weir)
        eventually(lambda: hanging.requests[HANG] > 0, weir.log)
        spans |= send(weir)
        arrive(destination, spans, weir)
        eventually(lambda: weir.metric("weir_archive_files_published") > 0, weir.log)
        assert not hanging.accepted
        hanging.mood = lambda: OK
        arrive(hanging, spans, weir)


def test_sigterm_under_load_with_a_dead_destination_ends_soon_and_the_next_start_delivers(
    start, dice, destination, tmp_path
):
    destination.stop()
    ledger = Ledger()
    keys = dict(
        exporters={"archive": archive(tmp_path / "archive"), "otlp_http": forward(destination.endpoint)},
        journal={"directory": str(tmp_path / "journal")},
    )
    weir = start(**keys)
    with Load(ledger, dice.random()) as load:
        load.endpoint = weir.endpoint
        eventually(lambda: len(ledger.acknowledged) > 200, weir.log)
        began = time.monotonic()
        weir.stop()
        assert time.monotonic() - began < 5
    destination.start()
    weir = start(**keys)
    weir.drain()
    weir.stop()
    assert not ledger.compare(tmp_path / "archive", destination.accepted)
