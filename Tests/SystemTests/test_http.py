"""The HTTP side of OTLP/HTTP: methods, paths, status codes, connections. Tests write every byte of a request."""

import pytest

from otlp import a_body, a_span, request_json, span_json
from wire import JSON, PROTOBUF, TRACES, Connection, chunked, exchange, post, post_json, request


def test_a_post_to_the_traces_path_is_taken(weir):
    answer = post(weir.endpoint, a_body())
    assert answer.status == 200 and answer.rejected() == 0
    assert len(weir.spans()) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_get_405_and_the_name_of_the_right_one(weir, method):
    with Connection(weir.endpoint) as connection:
        connection.send(request(method=method, content_type=PROTOBUF))
        answer = connection.read(bodyless=method == "HEAD")
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]
    if method != "HEAD":
        answer.error()


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/trace",
        "/v1/traces/",
        "/v1/tracesx",
        "//v1/traces",
        "/v1/metrics",
        "/v1/logs",
        "/v1development/profiles",
    ],
)
def test_other_paths_get_404_with_a_status_in_the_encoding_of_the_request(weir, path, content_type):
    answer = exchange(weir.endpoint, request(b"{}", content_type, path=path))
    assert answer.status == 404
    answer.error()
    assert answer.content_type == content_type


def test_a_query_does_not_change_the_path(weir):
    assert exchange(weir.endpoint, request(a_body(), path=TRACES + "?from=test")).status == 200


def test_the_path_can_be_configured(start):
    weir = start(http={"traces_url_path": "/otlp/v1/traces"})
    assert exchange(weir.endpoint, request(a_body(), path="/otlp/v1/traces")).status == 200
    assert exchange(weir.endpoint, request(a_body())).status == 404


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/grpc",
        "application/jsonp",
        "application",
        "",
        None,
        "multipart/form-data; boundary=x",
    ],
)
def test_other_content_types_get_415_with_a_status(weir, content_type):
    answer = post(weir.endpoint, a_body(), content_type)
    assert answer.status == 415
    answer.error()


@pytest.mark.parametrize("method, content_type", [("GET", PROTOBUF), ("GET", JSON), ("PUT", JSON)])
def test_a_405_is_a_status_in_the_encoding_of_the_request(weir, method, content_type):
    answer = exchange(weir.endpoint, request(b"", content_type, method=method))
    assert answer.status == 405 and answer.content_type == content_type
    answer.error()


def test_a_connection_serves_many_requests(weir):
    with Connection(weir.endpoint) as connection:
        for _ in range(200):
            connection.send(request(a_body()))
            answer = connection.read()
            assert answer.status == 200
            assert answer.headers.get("connection", "keep-alive").lower() != "close"
    assert len(weir.spans()) == 200


def test_parallel_connections_are_served_in_any_order(weir):
    connections = [Connection(weir.endpoint) for _ in range(50)]
    for connection in connections:
        connection.send(request(a_body()))
    for connection in reversed(connections):
        assert connection.read().status == 200
        connection.close()


def test_connection_close_is_honoured(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body(), headers=[("Connection", "close")]))
        assert connection.read().status == 200
        assert connection.rest() == b""


def test_http_1_0_is_answered_and_closed(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body(), version="HTTP/1.0"))
        assert connection.read().status == 200
        assert connection.rest() == b""


def test_requests_in_one_write_are_answered_in_order(weir):
    good, bad = a_body(), b"\xff\xff\xff"
    with Connection(weir.endpoint) as connection:
        connection.send(
            request(good)
            + request(bad)
            + request(b"{", JSON)
            + request(good, path="/nowhere")
            + request(b"{}", JSON)
            + request(good, "text/plain")
            + request(method="GET")
            + request(good)
        )
        answers = [connection.read() for _ in range(8)]
    assert [answer.status for answer in answers] == [200, 400, 400, 404, 200, 415, 405, 200]
    assert [answer.content_type for answer in answers[:5]] == [PROTOBUF, PROTOBUF, JSON, PROTOBUF, JSON]


def test_many_pipelined_requests_are_all_taken(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(b"".join(request(a_body(a_span(name=f"span {number}"))) for number in range(100)))
        assert [connection.read().status for _ in range(100)] == [200] * 100
    assert {archived.span.name for archived in weir.spans()} == {f"span {number}" for number in range(100)}


def test_a_request_may_arrive_byte_by_byte(weir):
    with Connection(weir.endpoint) as connection:
        data = request(a_body())
        for at in range(len(data)):
            connection.send(data[at : at + 1])
        assert connection.read().status == 200


def test_chunked_bodies_are_taken(weir):
    body = a_body(a_span(name="x" * 20_000))
    with Connection(weir.endpoint) as connection:
        for _ in range(2):
            connection.send(request(chunked(body), headers=[("Transfer-Encoding", "chunked")]))
            assert connection.read().status == 200


def test_a_chunked_body_may_have_extensions_and_trailers(weir):
    body = a_body()
    data = b"%x;name=value\r\n%s\r\n0\r\nTrailer-Field: value\r\n\r\n" % (len(body), body)
    assert exchange(weir.endpoint, request(data, headers=[("Transfer-Encoding", "chunked")])).status == 200


def test_a_client_that_waits_for_continue_is_told_to_go_on(weir):
    body = a_body()
    with Connection(weir.endpoint) as connection:
        connection.send(request(headers=[("Content-Length", len(body)), ("Expect", "100-continue")]))
        assert connection.head()[1] == 100
        connection.send(body)
        assert connection.read().status == 200


def test_a_client_that_waits_for_continue_with_too_large_a_body_is_refused_before_it_sends(start):
    weir = start(http={"max_request_body_size": "1MiB"})
    with Connection(weir.endpoint) as connection:
        connection.send(request(headers=[("Content-Length", 2 << 20), ("Expect", "100-continue")]))
        answer = connection.read()
    assert answer.status == 413
    answer.error()


def test_header_names_and_content_types_are_read_in_any_case(weir):
    body = a_body()
    names = "hOST: x\r\ncontent-TYPE: Application/X-Protobuf\r\ncontent-LENGTH: "
    data = f"POST /v1/traces HTTP/1.1\r\n{names}{len(body)}\r\n\r\n"
    assert exchange(weir.endpoint, data.encode() + body).status == 200


def test_a_resend_gets_the_same_answer(weir):
    body = a_body()
    first, second = post(weir.endpoint, body), post(weir.endpoint, body)
    assert (first.status, first.body) == (second.status, second.body) == (200, b"")
    assert len(weir.spans()) in (1, 2)


def test_a_connection_that_ends_in_the_middle_of_a_body_leaves_nothing_behind(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body())[:-5])
    assert post(weir.endpoint, a_body(a_span(name="after"))).status == 200
    assert [archived.span.name for archived in weir.spans()] == ["after"]


def test_a_json_request_gets_a_json_answer_on_the_same_port_and_connection(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body()))
        assert connection.read().content_type == PROTOBUF
        answer = post_json(weir.endpoint, request_json(span_json()))
        assert answer.content_type == JSON and answer.rejected() == 0
