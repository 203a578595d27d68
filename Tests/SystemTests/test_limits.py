"""Every limit of the receiver, at its edge and past it, against a real socket."""

import contextlib
import json
import socket
import threading
import time

import pytest

from otlp import COMPRESSIONS, a_body, a_span, bomb, request_json, sized_body, span_json, text
from waiting import eventually
from weir import archive
from wire import JSON, PROTOBUF, Closed, Connection, chunked, exchange, post, request

MIB = 1 << 20


def overloaded(answer):
    """Whether the answer is a refusal that the client may retry, and says when."""
    if answer.status not in (429, 503):
        return False
    answer.error()
    return answer.retry_after() >= 1


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "zstd"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(start, encoding, in_chunks):
    weir = start(http={"max_request_body_size": "256KiB"})
    for size, status in ((256 << 10, 200), ((256 << 10) + 1, 413), (256 << 10, 200)):
        body = COMPRESSIONS.get(encoding, bytes)(sized_body(size))
        headers = [("Transfer-Encoding", "chunked")] if in_chunks else []
        answer = exchange(
            weir.endpoint, request(chunked(body) if in_chunks else body, encoding=encoding, headers=headers)
        )
        assert answer.status == status, size
        if status == 413:
            answer.error()
            assert "retry-after" not in answer.headers
    assert len(weir.spans()) in (1, 2)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_413_is_a_status_in_the_encoding_of_the_request(start, content_type):
    weir = start(http={"max_request_body_size": "1KiB"})
    answer = post(weir.endpoint, bytes(1025), content_type)
    assert answer.status == 413 and answer.content_type == content_type
    assert "1024" in answer.error().message or "1KiB" in answer.error().message.replace(" ", "")


def test_the_default_limit_is_64_mib(weir):
    body = json.dumps(request_json(span_json())).encode()
    for size, status in ((64 * MIB, 200), (64 * MIB + 1, 413)):
        padded = body + b" " * (size - len(body))
        assert post(weir.endpoint, COMPRESSIONS["gzip"](padded), JSON, "gzip").status == status


def test_a_client_that_sends_a_large_body_to_the_end_still_reads_its_413(start):
    """SDKs write the whole request before they read; a reset in between would look like a lost connection."""
    weir = start(http={"max_request_body_size": "1MiB"})
    for _ in range(5):
        answer = exchange(weir.endpoint, request(bytes(8 * MIB)))
        assert answer.status == 413
        answer.error()


def test_a_body_past_the_limit_that_is_announced_is_refused_before_it_comes(start):
    weir = start(http={"max_request_body_size": "1MiB"})
    with Connection(weir.endpoint) as connection:
        connection.send(request(headers=[("Content-Length", 10**15)]))
        assert connection.read().status == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_cut_off_at_the_limit_and_memory_stays_bounded(start, encoding):
    weir = start(http={"max_request_body_size": "8MiB", "max_in_flight_bytes": "32MiB"})
    body = bomb(encoding, 512 * MIB)
    assert post(weir.endpoint, a_body()).status == 200
    before, answers = weir.memory_peak(), []
    threads = [
        threading.Thread(target=lambda: answers.append(post(weir.endpoint, body, encoding=encoding))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    for answer in answers:
        assert answer.status == 413 or overloaded(answer)
    assert 413 in [answer.status for answer in answers]
    assert weir.memory_peak() - before < 64 * MIB


def test_memory_stays_bounded_under_load(start):
    weir = start(
        http={"max_request_body_size": "4MiB", "max_in_flight_bytes": "16MiB"},
        exporters={"debug": {"verbosity": "basic"}},
    )
    body = sized_body(4 * MIB)
    before, statuses = weir.memory_peak(), []

    def load():
        for _ in range(20):
            answer = post(weir.endpoint, body)
            assert answer.status == 200 or overloaded(answer)
            statuses.append(answer.status)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 160 and 200 in statuses
    assert weir.memory_peak() - before < 160 * MIB


def cut_off(connection, since, after, within=5.0):
    """Waits until the server ends the connection; it may say why. Fails when that is before `after` seconds."""
    answers = connection.answers_until_closed()
    took = time.monotonic() - since
    assert after * 0.8 <= took < within, f"{took} s"
    assert len(answers) <= 1
    for answer in answers:
        assert answer.status == 408
        answer.error()


def served_meanwhile(weir, until):
    """Sends good requests until the event is set; each has to be answered well and soon."""
    count = 0
    with Connection(weir.endpoint) as connection:
        while not until.is_set() or count == 0:
            begun = time.monotonic()
            connection.send(request(a_body()))
            assert connection.read().status == 200
            assert time.monotonic() - begun < 2
            count += 1
    return count


def slow_client(weir, begin, after, drip=None):
    """Sends `begin` and then at the most `drip`, byte by byte, while another client is served."""
    done, failures = threading.Event(), []
    with Connection(weir.endpoint) as connection:
        since = time.monotonic()
        connection.send(begin)

        def suffer():
            try:
                for at in range(len(drip or b"")):
                    connection.send(drip[at : at + 1])
                    # The pace of a client, not a wait for something.
                    done.wait(0.1)
            except OSError:
                pass  # the server has closed; that is the point
            try:
                cut_off(connection, since, after)
            except Exception as error:  # noqa: BLE001, raised again below
                failures.append(error)
            finally:
                done.set()

        thread = threading.Thread(target=suffer)
        thread.start()
        served = served_meanwhile(weir, done)
        thread.join()
    assert not failures, failures[0]
    assert served > 10


def test_slow_headers_are_cut_off(start):
    slow_client(start(http={"read_header_timeout": "1s"}), b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Slow: ", after=1)


def test_headers_that_come_byte_by_byte_are_cut_off(start):
    slow_client(
        start(http={"read_header_timeout": "1s"}),
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        after=1,
        drip=b"x" * 30,
    )


def test_a_silent_connection_is_cut_off(start):
    slow_client(start(http={"read_header_timeout": "1s", "idle_timeout": "1s"}), b"", after=1)


def test_a_slow_body_is_cut_off(start):
    slow_client(start(http={"read_timeout": "1s"}), request(headers=[("Content-Length", 1000)]) + b"begin", after=1)


def test_a_body_that_comes_byte_by_byte_is_cut_off(start):
    slow_client(
        start(http={"read_timeout": "1s"}), request(headers=[("Content-Length", 1000)]), after=1, drip=b"x" * 30
    )


def test_an_idle_connection_is_closed_after_its_last_answer(start):
    weir = start(http={"idle_timeout": "1s"})
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body()))
        assert connection.read().status == 200
        since = time.monotonic()
        assert connection.rest() == b""
        assert 0.8 <= time.monotonic() - since < 5


def test_an_idle_connection_outlives_the_timeout_for_headers(start):
    weir = start(http={"read_header_timeout": "500ms"})
    with Connection(weir.endpoint) as kept, Connection(weir.endpoint) as silent:
        kept.send(request(a_body()))
        assert kept.read().status == 200
        since = time.monotonic()
        # It begins a head now, so that its time is over after that of the other would be.
        silent.send(b"POST ")
        cut_off(silent, since, after=0.5)
        kept.send(request(a_body()))
        assert kept.read().status == 200


def test_headers_past_the_limit_get_431(weir):
    many = [(f"X-{number}", "v" * 100) for number in range(5000)]
    for headers in ([("X-Long", "v" * 200_000)], many):
        answer = exchange(weir.endpoint, request(a_body(), headers=headers))
        assert answer.status == 431
        answer.error()
    assert post(weir.endpoint, a_body()).status == 200


def test_a_path_past_the_limit_is_refused(weir):
    answer = exchange(weir.endpoint, request(a_body(), path="/v1/traces?" + "x" * 200_000))
    assert answer.status in (414, 431)
    answer.error()


def test_headers_of_usual_size_are_taken(weir):
    assert exchange(weir.endpoint, request(a_body(), headers=[("Authorization", "Bearer " + "x" * 4000)])).status == 200


def test_connections_far_past_the_limit_leave_nothing(start):
    weir = start(http={"max_connections": 1, "read_header_timeout": "300s"})
    # 256 more are told so; those beyond are closed.
    held = [Connection(weir.endpoint) for _ in range(300)]

    def knock(times):
        for _ in range(times):
            with socket.create_connection(tuple(weir.endpoint.rsplit(":", 1))) as one, contextlib.suppress(OSError):
                one.settimeout(10)
                one.recv(1)

    knock(2_000)
    before = weir.memory_peak()
    knock(20_000)
    # A kilobyte each, if it were kept.
    assert weir.memory_peak() - before < 8 * MIB
    for connection in held:
        connection.close()


def test_connections_past_the_limit_are_told_to_come_back(start):
    weir = start(http={"max_connections": 3})
    held = [Connection(weir.endpoint) for _ in range(3)]
    for connection in held:
        connection.send(request(a_body()))
        assert connection.read().status == 200
    for _ in range(3):
        assert overloaded(post(weir.endpoint, a_body()))
    for connection in held:
        connection.send(request(a_body()))
        assert connection.read().status == 200
    held.pop().close()
    eventually(lambda: post(weir.endpoint, a_body()).status == 200, "the free place is not given to anybody")
    for connection in held:
        connection.close()


def test_bytes_in_flight_past_the_limit_are_refused_and_the_first_request_is_not_disturbed(start):
    weir = start(http={"max_request_body_size": "1MiB", "max_in_flight_bytes": "1MiB"})
    body = sized_body(700 << 10)
    with Connection(weir.endpoint) as first:
        first.send(request(body)[:-1])
        # Sent is not received: a second request that overtook it would be the one that gets the room.
        held = lambda: weir.metric("weir_receiver_in_flight_bytes") == len(body) - 1
        eventually(held, "the first request is not in flight")
        assert overloaded(post(weir.endpoint, body))
        first.send(body[-1:])
        assert first.read().status == 200
    eventually(lambda: post(weir.endpoint, body).status == 200, "the bytes are not given back")


def test_bytes_of_a_client_that_left_are_given_back(start):
    weir = start(http={"max_request_body_size": "1MiB", "max_in_flight_bytes": "1MiB"})
    body = sized_body(700 << 10)
    for _ in range(5):
        with Connection(weir.endpoint) as connection:
            connection.send(request(body)[:-1])
    eventually(lambda: post(weir.endpoint, body).status == 200, "the bytes are not given back")


def test_a_pipeline_that_cannot_take_more_makes_the_receiver_say_so(start, tmp_path):
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked/tenant=default").write_text("a file where a folder has to be")
    weir = start(exporters={"archive": archive(tmp_path / "blocked")}, journal={"max_bytes": "16MiB"})
    refusal, taken = None, 0
    with Connection(weir.endpoint) as connection:
        while refusal is None and taken < 100:
            connection.send(request(a_body(a_span(attributes=[text("filler", f"{taken} " + "x" * MIB)]))))
            answer = connection.read()
            if answer.status == 200:
                taken += 1
            else:
                refusal = answer
    assert refusal is not None, f"{taken} MiB taken that nobody can write"
    assert overloaded(refusal)
    assert weir.metric("otelcol_receiver_refused_spans") >= 1
    weir.kill()


def test_bad_data_is_never_answered_with_a_status_that_a_client_retries(weir):
    for answer in (
        post(weir.endpoint, b"\xff"),
        post(weir.endpoint, b"{", JSON),
        post(weir.endpoint, b"x", encoding="gzip"),
        post(weir.endpoint, b"", "text/plain"),
    ):
        assert answer.status not in (429, 502, 503, 504) and "retry-after" not in answer.headers


def test_a_connection_is_not_used_after_a_refusal_in_the_middle_of_a_body(start):
    weir = start(http={"max_request_body_size": "1KiB", "read_timeout": "2s"})
    behind = request(a_body(a_span(name="inside the body")))
    with Connection(weir.endpoint) as connection:
        connection.send_what_it_takes(request(headers=[("Content-Length", 1 << 30)]) + behind)
        assert connection.read().status == 413
        with pytest.raises(Closed):
            connection.read()
    assert weir.spans() == []
