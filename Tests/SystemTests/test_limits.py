"""Every limit of the receiver, at its edge and past it, against a real socket."""

import json
import threading

import pytest

from otlp import COMPRESSIONS, a_body, a_span, bomb, request_json, sized_body, span_json, text
from weir import archive
from wire import JSON, PROTOBUF, Connection, chunked, exchange, post, request

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


def test_headers_of_usual_size_are_taken(weir):
    assert exchange(weir.endpoint, request(a_body(), headers=[("Authorization", "Bearer " + "x" * 4000)])).status == 200


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
