"""Random damage and repeated ends. Short here, long under `make torture`."""

import json
import random
import socket
import threading

import pytest

import archives
from otlp import COMPRESSIONS, a_body, a_span, attribute, request_json, span_json
from weir import archive
from wire import JSON, PROTOBUF, Connection, chunked, post, request

long = pytest.mark.torture


def a_sound_request(dice):
    """One of the kinds of request that there are."""
    values = ["text", 7, 1.5, True, b"bytes", ["a", {"b": [None]}]]
    if dice.random() < 0.5:
        body, kind = (
            a_body(*[a_span(attributes=[attribute("k", dice.choice(values))]) for _ in range(dice.randint(0, 5))]),
            PROTOBUF,
        )
    else:
        attributes = [{"key": "k", "value": {"arrayValue": {"values": [{"intValue": "5"}, {"doubleValue": 1e-3}]}}}]
        body, kind = (
            json.dumps(request_json(*[span_json(attributes=attributes) for _ in range(dice.randint(0, 5))])).encode(),
            JSON,
        )
    encoding = dice.choice([None, None, *COMPRESSIONS])
    body = COMPRESSIONS.get(encoding, bytes)(body)
    if dice.random() < 0.3:
        return request(chunked(body), kind, encoding, headers=[("Transfer-Encoding", "chunked")])
    return request(body, kind, encoding)


def damaged(dice, data):
    data = bytearray(data)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(data)) if dice.random() < 0.5 else max(0, len(data) - 1 - dice.randrange(200))
        match dice.randrange(4):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at:at] = dice.randbytes(dice.randint(1, 20))
            case 2:
                del data[at : at + dice.randint(1, 20)]
            case _:
                data[at:] = data[at:] * 2
        data = data or bytearray(b"x")
    return bytes(data)


@pytest.mark.parametrize("rounds", [1000, pytest.param(100_000, marks=long)])
def test_damaged_requests_get_sound_answers_and_end_nothing(start, dice, rounds):
    weir = start(http={"max_request_body_size": "1MiB", "read_timeout": "2s", "read_header_timeout": "2s"})
    for _ in range(rounds):
        data = damaged(dice, a_sound_request(dice))
        with Connection(weir.endpoint) as connection:
            connection.send_what_it_takes(data)
            try:
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server was first
            for answer in connection.answers_until_closed():
                if answer.status == 200:
                    answer.rejected()
                else:
                    assert 400 <= answer.status < 500, data
                    answer.error()
    assert post(weir.endpoint, a_body(a_span(name="after it all"))).status == 200
    assert "after it all" in [archived.span.name for archived in weir.spans()]


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=long)])
def test_nothing_acknowledged_is_lost_over_many_ends(start, dice, tmp_path, rounds):
    acknowledged, sent, lock = set(), set(), threading.Lock()

    def load(endpoint, prefix, enough):
        number = 0
        try:
            with Connection(endpoint) as connection:
                while True:
                    name, number = f"{prefix}-{number}", number + 1
                    with lock:
                        sent.add(name)
                    connection.send(request(a_body(a_span(name=name))))
                    if connection.read().status != 200:
                        return
                    with lock:
                        acknowledged.add(name)
                    if number == 50:
                        enough.set()
        except Exception as error:  # noqa: BLE001, the end of the program is the end of the connection
            print(f"{prefix} ended after {number}: {error!r}")

    for turn in range(rounds):
        weir = start(
            exporters={
                "archive": archive(
                    tmp_path / "archive",
                    dice.choice(["otlp_json", "otlp_proto"]),
                    dice.choice(["none", "gzip", "zstd"]),
                )
            }
        )
        enough = threading.Event()
        threads = [
            threading.Thread(target=load, args=(weir.endpoint, f"{turn}-{worker}", enough)) for worker in range(4)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        weir.stop()
        for thread in threads:
            thread.join(30)
    names = [archived.span.name for archived in archives.spans(tmp_path / "archive")]
    assert acknowledged <= set(names) <= sent, f"{len(acknowledged - set(names))} of {len(acknowledged)} lost"
    assert len(names) == len(set(names)), "delivered twice"
