"""Clients of HTTP/2 that are up to no good: each is bounded, told, and leaves the others alone."""

import subprocess

import pytest

from frames import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING, PREFACE,
    PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, frame, head, literal, message,
)  # fmt: skip
from otlp import a_body
from waiting import eventually
from wire import request


@pytest.fixture
def serve(start):
    def begin(**keys):
        return start(grpc=keys)

    return begin


def is_well(weir):
    with Wire(weir.grpc_endpoint) as other:
        assert other.call(1, message(a_body()))["grpc-status"] == "0"


def test_a_call_by_hand(serve):
    weir = serve()
    with Wire(weir.grpc_endpoint) as wire:
        for stream in (1, 3, 5):
            answer = wire.call(stream, message(a_body()))
            assert answer[":status"] == "200" and answer["content-type"] == "application/grpc"
            assert answer["grpc-status"] == "0"
    assert len(weir.spans()) == 3


def test_a_call_that_is_cut_anywhere_is_never_taken(serve):
    weir = serve()
    body = message(a_body())
    with Wire(weir.grpc_endpoint) as wire:
        for number, end in enumerate(range(len(body))):
            answer = wire.call(2 * number + 1, body[:end])
            assert answer["grpc-status"] == "13", f"{end} bytes"
        # Byte by byte is slow, but sound.
        stream = 2 * len(body) + 1
        wire.send(wire.request(stream))
        for byte in body[:-1]:
            wire.send(frame(DATA, 0, stream, bytes([byte])))
        wire.send(frame(DATA, END_STREAM, stream, body[-1:]))
        assert wire.answer(stream)["grpc-status"] == "0"
    assert len(weir.spans()) == 1


def test_a_connection_that_is_cut_anywhere_leaves_nothing(serve):
    weir = serve()
    whole = PREFACE + frame(SETTINGS) + Wire.request(None, 1, message(a_body()))
    for end in range(0, len(whole), 7):
        with Wire(weir.grpc_endpoint, begin=False) as wire:
            wire.send(whole[:end])
    eventually(lambda: weir.metric("weir_receiver_open_connections", transport="grpc") == 0, weir.log)
    assert weir.metric("weir_receiver_in_flight_bytes", transport="grpc") == 0
    is_well(weir)


def test_what_is_no_http2_is_cut(serve):
    weir = serve()
    for bytes_sent in [request(a_body()), b"\x16\x03\x01\x02\x00\x01", b"\x00" * 1000, PREFACE[:-2] + b"XX"]:
        with Wire(weir.grpc_endpoint, begin=False) as wire:
            wire.send(bytes_sent)
            assert all(found.kind in (SETTINGS, GOAWAY) for found in wire.end())
    eventually(lambda: "perhaps HTTP/1.1 or TLS" in weir.log(), weir.log)
    is_well(weir)


def test_silence_is_cut(serve):
    weir = serve(read_header_timeout="300ms")
    for begun in [b"", PREFACE[:10], PREFACE]:
        with Wire(weir.grpc_endpoint, begin=False) as wire:
            wire.send(begun)
            wire.end()
    told = [line for line in weir.records() if line.get("message") == "cut a connection"]
    # A whole preface is a beginning, and such a client is told to go.
    assert [line["reason"] for line in told] == ["it said nothing within read_header_timeout"] * 2
    assert {line["client"] for line in told} == {"127.0.0.1"}
    is_well(weir)


def test_a_slow_body_is_told_and_cut(serve):
    weir = serve(read_timeout="300ms")
    with Wire(weir.grpc_endpoint) as wire:
        wire.send(wire.request(1), frame(DATA, 0, 1, message(a_body())[:20]))
        answer = wire.answer(1)
        assert answer["grpc-status"] == "4" and "read_timeout" in answer["grpc-message"]
        assert wire.call(3, message(a_body()))["grpc-status"] == "0", "the connection goes on"
    assert weir.metric("weir_receiver_in_flight_bytes", transport="grpc") == 0


def test_an_idle_connection_is_told_to_go(serve):
    weir = serve(keepalive={"server_parameters": {"max_connection_idle": "300ms"}})
    with Wire(weir.grpc_endpoint) as wire:
        assert wire.call(1, message(a_body()))["grpc-status"] == "0"
        found = wire.until(GOAWAY)
        assert found.error == NO_ERROR
        assert all(one.kind == PING for one in wire.end())


def test_an_old_connection_is_told_to_go_and_finishes(serve):
    weir = serve(keepalive={"server_parameters": {"max_connection_age": "300ms"}})
    with Wire(weir.grpc_endpoint) as wire:
        body = message(a_body())
        wire.send(wire.request(1), frame(DATA, 0, 1, body[:20]))
        assert wire.until(GOAWAY).error == NO_ERROR
        wire.send(frame(DATA, END_STREAM, 1, body[20:]))
        assert wire.answer(1)["grpc-status"] == "0"
        wire.end()


def test_who_does_not_answer_a_ping_is_cut(serve):
    weir = serve(keepalive={"server_parameters": {"time": "200ms", "timeout": "200ms"}})
    with Wire(weir.grpc_endpoint) as wire:
        assert wire.call(1, message(a_body()))["grpc-status"] == "0"
        wire.send_what_it_takes = lambda _: None
        assert wire.until(PING)
        wire.end()
    with Wire(weir.grpc_endpoint) as wire:
        # Who answers may stay.
        assert all(wire.until(PING) for _ in range(3))


def test_rapid_reset_is_cut(serve):
    weir = serve()
    with Wire(weir.grpc_endpoint) as wire:
        flood = b"".join(
            wire.request(stream) + frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big")) for stream in range(1, 2001, 2)
        )
        wire.send_what_it_takes(flood)
        assert wire.until(GOAWAY).error == ENHANCE_YOUR_CALM
    assert weir.metric("otelcol_receiver_accepted_spans", transport="grpc") == 0
    is_well(weir)


@pytest.mark.parametrize(
    "one", [frame(PING, 0, 0, bytes(8)), frame(SETTINGS), frame(SETTINGS, 0, 0, b"\x00\x04\x00\x01\x00\x00")]
)
def test_floods_of_control_frames_are_cut(serve, one):
    weir = serve()
    with Wire(weir.grpc_endpoint) as wire:
        wire.send_what_it_takes(one * 20_000)
        found = wire.until(GOAWAY)
        # What was sent behind may have reset the connection before it was read.
        assert found is None or found.error == ENHANCE_YOUR_CALM
    is_well(weir)


def test_pings_of_a_sound_client_are_answered(serve):
    weir = serve()
    with Wire(weir.grpc_endpoint) as wire:
        for _ in range(600):
            wire.send(frame(PING, 0, 0, b"bdpprobe"))
            while not ((found := wire.next()).kind == PING and found.flags & ACK):
                assert found.kind != GOAWAY


def test_heads_have_a_limit(serve):
    weir = serve()
    large = literal("x-large", "a" * 16_000)
    for block in [head() + large * 5, head() + b"".join(literal(f"x-{n}", "a") for n in range(3000))]:
        with Wire(weir.grpc_endpoint) as wire:
            pieces = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
            frames = frame(HEADERS, 0 if len(pieces) > 1 else END_HEADERS, 1, pieces[0])
            for number, piece in enumerate(pieces[1:], 2):
                frames += frame(CONTINUATION, END_HEADERS if number == len(pieces) else 0, 1, piece)
            wire.send_what_it_takes(frames)
            found = wire.until(GOAWAY, RST_STREAM)
            assert found is None or found.error != NO_ERROR
    with Wire(weir.grpc_endpoint) as wire:
        # Endless CONTINUATION of nothing.
        wire.send_what_it_takes(frame(HEADERS, 0, 1, head()) + frame(CONTINUATION, 0, 1) * 10_000)
        found = wire.until(GOAWAY)
        assert found is None or found.error != NO_ERROR
    is_well(weir)


def test_streams_have_a_limit(serve):
    weir = serve(max_concurrent_streams=5)
    with Wire(weir.grpc_endpoint) as wire:
        for stream in range(1, 11, 2):
            wire.send(wire.request(stream))
        body = message(a_body())
        for stream in range(1, 11, 2):
            wire.send(frame(DATA, END_STREAM, stream, body))
        assert [wire.answer(stream)["grpc-status"] for stream in (9,)] == ["0"]
    with Wire(weir.grpc_endpoint) as wire:
        # Its settings are not acknowledged yet.
        wire.send_what_it_takes(b"".join(wire.request(stream) for stream in range(1, 101, 2)))
        refused = [wire.until(RST_STREAM) for _ in range(45)]
        assert {found.error for found in refused} == {REFUSED_STREAM}
        assert {found.stream for found in refused} == set(range(11, 101, 2))
        wire.send(frame(DATA, END_STREAM, 9, message(a_body())))
        assert wire.answer(9)["grpc-status"] == "0"
    is_well(weir)


def test_connections_have_a_limit(serve):
    weir = serve(max_connections=2)
    with Wire(weir.grpc_endpoint) as first, Wire(weir.grpc_endpoint) as second:
        for wire in (first, second):
            assert wire.call(1, message(a_body()))["grpc-status"] == "0"
        with Wire(weir.grpc_endpoint) as third:
            answer = third.call(1, message(a_body()))
            assert answer["grpc-status"] == "14" and "max_connections" in answer["grpc-message"]
            assert "grpc-status-details-bin" in answer
            third.end()
        assert first.call(3, message(a_body()))["grpc-status"] == "0"
    eventually(lambda: weir.metric("weir_receiver_open_connections", transport="grpc") == 0, weir.log)
    is_well(weir)


def test_bytes_in_flight_have_a_limit(serve):
    weir = serve(max_recv_msg_size_mib=1, max_in_flight_bytes="2MiB")
    with Wire(weir.grpc_endpoint) as wire:
        refused = None
        for stream in (1, 3, 5):
            wire.send(wire.request(stream))
            for _ in range(60):
                wire.send(frame(DATA, 0, stream, bytes(16_000)))
        answer = wire.answer(5)
        assert answer["grpc-status"] == "14" and "max_in_flight_bytes" in answer["grpc-message"]
        refused = answer
    assert refused
    eventually(lambda: weir.metric("weir_receiver_in_flight_bytes", transport="grpc") == 0, weir.log)


def test_a_client_that_takes_no_answer_is_cut(serve):
    weir = serve(keepalive={"server_parameters": {"max_connection_idle": "300ms", "timeout": "300ms"}})
    # A window of nothing: the body of an answer can never be sent.
    with Wire(weir.grpc_endpoint, begin=False) as wire:
        wire.send(PREFACE + frame(SETTINGS, 0, 0, b"\x00\x04" + bytes(4)))
        wire.send(wire.request(1, message(a_body())))
        found = wire.until(RST_STREAM, GOAWAY)
        assert found
        wire.end()
    eventually(lambda: weir.metric("weir_receiver_open_connections", transport="grpc") == 0, weir.log)


def test_methods_and_types_that_are_no_grpc(serve):
    weir = serve()
    with Wire(weir.grpc_endpoint) as wire:
        assert wire.call(1, b"{}", head(**{"content-type": "application/json"}))[":status"] == "415"
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, head(method="GET")))
        assert wire.answer(3)[":status"] == "405"
        unknown = wire.call(5, message(b""), head(grpc_encoding="snappy"))
        assert unknown["grpc-status"] == "12" and "gzip" in unknown["grpc-accept-encoding"]
        assert wire.call(7, message(a_body()) * 2)["grpc-status"] == "13"
        assert wire.call(9, message(a_body(), 1))["grpc-status"] == "13"
        assert wire.call(11, message(a_body()))["grpc-status"] == "0"


def test_http2_over_tls_on_the_port_of_otlp_http(start, authority, tmp_path):
    certificate, key = authority.sign("server")
    weir = start(http={"tls": {"cert_file": str(certificate), "key_file": str(key)}})
    body = tmp_path / "body"
    for version in ("2", "1.1"):
        body.write_bytes(a_body())
        done = subprocess.run(
            ["curl", "-sS", f"--http{version}", "--cacert", authority.file, "-H", "Content-Type: application/x-protobuf",
             "--data-binary", f"@{body}", "-w", "%{http_code} %{http_version}", f"https://{weir.endpoint}/v1/traces"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert done.stdout == f"200 {version}", done.stdout + done.stderr
    done = subprocess.run(
        ["h2load", "-n", "500", "-c", "4", "-m", "20", "-d", body, "-H", "content-type: application/x-protobuf",
         f"https://{weir.endpoint}/v1/traces"], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "500 succeeded, 0 failed" in done.stdout and "h2" in done.stdout, done.stdout + done.stderr
    assert len(weir.spans()) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        frame(PUSH_PROMISE, END_HEADERS, 1, bytes(8)),
        frame(WINDOW_UPDATE, 0, 1, bytes(4)),
        frame(HEADERS, END_HEADERS, 1, literal("x", "y")),
    ],
    ids=["push", "window", "trailers"],
)
def test_what_is_wrong_beside_a_request_is_not_kept(serve, wrong):
    weir = serve()

    def misbehave():
        with Wire(weir.grpc_endpoint, begin=False) as wire:
            wire.send_what_it_takes(PREFACE + frame(SETTINGS) + wire.request(1) + wrong)
            wire.end()

    for _ in range(50):
        misbehave()
    before = weir.memory_peak()
    for _ in range(300):
        misbehave()
    # Each connection reads into 64 KiB.
    assert weir.memory_peak() - before < 8 << 20
    is_well(weir)
