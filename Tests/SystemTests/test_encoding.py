"""Content types, compressions, and what the answers look like."""

import gzip
import json
import zlib

import pytest
import zstandard

import archives
from otlp import COMPRESSIONS, a_body, a_request, a_span, request_json, span_json, spans_as_bytes
from wire import JSON, PROTOBUF, Answer, post, post_json

BAD = a_span(trace_id=bytes(16))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-protobuf; charset=utf-8",
        "application/x-protobuf;proto=x",
        "APPLICATION/X-PROTOBUF",
        " application/x-protobuf ",
    ],
)
def test_parameters_and_case_of_the_protobuf_type_do_not_matter(weir, content_type):
    answer = post(weir.endpoint, a_body(), content_type)
    assert answer.status == 200 and answer.content_type == PROTOBUF


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        'application/json; x="a;b"',
    ],
)
def test_parameters_and_case_of_the_json_type_do_not_matter(weir, content_type):
    answer = post(weir.endpoint, json.dumps(request_json(span_json())).encode(), content_type)
    assert answer.status == 200 and answer.content_type == JSON


@pytest.mark.parametrize("encoding", [None, "identity", "gzip", "deflate", "zstd", "GZIP", "x-gzip"])
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_each_compression_is_taken(weir, encoding, content_type):
    span = span_json(name="compressed " * 1000)
    body = json.dumps(request_json(span)).encode()
    if content_type == PROTOBUF:
        body = archives.from_json(request_json(span)).SerializeToString()
    compress = COMPRESSIONS.get((encoding or "").lower().removeprefix("x-"), bytes)
    answer = post(weir.endpoint, compress(body), content_type, encoding)
    assert answer.status == 200 and answer.rejected() == 0
    assert [archived.span.name for archived in weir.spans()] == [span["name"]]


def test_the_members_of_a_gzip_body_belong_together(weir):
    body = a_body()
    assert post(weir.endpoint, gzip.compress(body[:50]) + gzip.compress(body[50:]), encoding="gzip").status == 200
    assert len(weir.spans()) == 1


def test_the_frames_of_a_zstd_body_belong_together(weir):
    body, compressor = a_body(), zstandard.ZstdCompressor()
    assert (
        post(weir.endpoint, compressor.compress(body[:50]) + compressor.compress(body[50:]), encoding="zstd").status
        == 200
    )
    assert len(weir.spans()) == 1


@pytest.mark.parametrize("encoding", ["br", "snappy", "gzipp", "gzip-"])
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_an_unknown_compression_gets_415(weir, encoding, content_type):
    answer = post(weir.endpoint, a_body(), content_type, encoding)
    assert answer.status == 415 and answer.content_type == content_type
    assert encoding in answer.error().message


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_broken_compression_gets_400(weir, encoding):
    whole = COMPRESSIONS[encoding](a_body(a_span(name="z" * 5000)))
    for body in (whole[:-1], whole[: len(whole) // 2], whole[:3], b"not compressed at all"):
        answer = post(weir.endpoint, body, encoding=encoding)
        assert answer.status == 400, body
        answer.error()
    assert weir.spans() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_bytes_behind_a_compressed_body_get_400(weir, encoding):
    assert post(weir.endpoint, COMPRESSIONS[encoding](a_body()) + b"trailing", encoding=encoding).status == 400


def test_a_wrong_checksum_gets_400(weir):
    body = a_body()
    wholes = {
        "gzip": (COMPRESSIONS["gzip"](body), 8),  # CRC and length are the last eight bytes
        "deflate": (COMPRESSIONS["deflate"](body), 1),
        "zstd": (zstandard.ZstdCompressor(write_checksum=True).compress(body), 1),
    }
    for encoding, (whole, back) in wholes.items():
        at = len(whole) - back
        assert (
            post(weir.endpoint, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], encoding=encoding).status == 400
        ), encoding


def test_full_success_leaves_partial_success_unset_in_protobuf(weir):
    answer = post(weir.endpoint, a_body())
    assert (answer.status, answer.content_type, answer.body) == (200, PROTOBUF, b"")
    assert answer.headers["content-length"] == "0"


def test_full_success_leaves_partial_success_unset_in_json(weir):
    answer = post_json(weir.endpoint, request_json(span_json()))
    assert (answer.status, answer.content_type, answer.body) == (200, JSON, b"{}")


EMPTY_JSON = [
    "{}",
    '{"resourceSpans":[]}',
    '{"resourceSpans":null}',
    '{"resourceSpans":[{}]}',
    " \r\n\t{ } \n",
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"spans":[]}]}]}',
]


@pytest.mark.parametrize("body", EMPTY_JSON)
def test_an_empty_json_request_is_a_success(weir, body):
    answer = post_json(weir.endpoint, body)
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize("body", [b"", a_request().SerializeToString(), spans_as_bytes()])
def test_an_empty_protobuf_request_is_a_success(weir, body):
    answer = post(weir.endpoint, body)
    assert (answer.status, answer.body) == (200, b"")


def test_partial_success_is_reported_in_protobuf(weir):
    answer = post(weir.endpoint, a_body(a_span(name="first"), BAD, a_span(name="third"), BAD))
    assert answer.content_type == PROTOBUF and answer.rejected() == 2
    assert [archived.span.name for archived in weir.spans()] == ["first", "third"]


def test_partial_success_is_reported_in_json(weir):
    answer = post_json(weir.endpoint, request_json(span_json(name="first"), span_json(traceId="00" * 16)))
    assert answer.content_type == JSON and answer.rejected() == 1
    # A 64-bit integer is a string in proto3 JSON, and so is this count.
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"
    assert [archived.span.name for archived in weir.spans()] == ["first"]


def test_a_request_of_which_nothing_is_taken_is_still_a_partial_success(weir):
    assert post(weir.endpoint, a_body(BAD)).rejected() == 1
    assert weir.spans() == []


def test_the_answer_stays_small_however_much_is_wrong(weir):
    spans = [a_span(trace_id=bytes(16), name="a long and wrong name " * 4) for _ in range(50_000)]
    answer = post(weir.endpoint, a_body(*spans))
    assert answer.rejected() == 50_000
    # OTLP 1.11 recommends a limit of 4 MiB; nobody reads more than a page of it.
    assert len(answer.body) < 64 << 10


UNDECODABLE = {
    "a field cut off": b"\x0a\xff",
    "the field number 0": b"\x02\x00",
    "a wire type that is none": b"\x0f",
    "a varint of eleven bytes": b"\x80" * 10 + b"\x01",
    "a length past 64 bits": b"\x0a" + b"\xff" * 9 + b"\x7f",
    "a group that is never closed": b"\x0b",
    "JSON": b'{"resourceSpans":[]}',
    "a body one byte short": a_body()[:-1],
}


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_undecodable_protobuf_gets_400_and_says_what_is_wrong(weir, body):
    check_bad_request(post(weir.endpoint, body), PROTOBUF)


NOT_JSON = [
    "",
    "{",
    "}",
    "null x",
    "{} {}",
    '{"resourceSpans":[}',
    '{"resourceSpans":{}}',
    '{"resourceSpans":"x"}',
    "[]",
    '"x"',
    "{'resourceSpans':[]}",
    '{"resourceSpans":[],}',
    '{"a":01}',
    '{"a":NaN}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":tru}',
    '{"a":1e}',
    '{"a" 1}',
    '{"a":"\\ud8"}',
    '{"resourceSpans":[]',
    "\x0a\x00",
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_undecodable_json_gets_400_and_says_what_is_wrong(weir, body):
    check_bad_request(post_json(weir.endpoint, body), JSON)


def check_bad_request(answer: Answer, content_type):
    """OTLP, "Bad Data": 400, not retryable; Status.details SHOULD contain a BadRequest that describes the bad data."""
    assert answer.status == 400 and answer.content_type == content_type
    assert "retry-after" not in answer.headers
    details = answer.error().details
    assert len(details) == 1 and details[0].TypeName() == "google.rpc.BadRequest"


def test_the_code_of_a_status_is_one_of_google_rpc(weir):
    # 3 is INVALID_ARGUMENT; leaving the code out is allowed.
    assert post(weir.endpoint, b"\xff").error().code in (0, 3)
    assert post_json(weir.endpoint, "{").error().code in (0, 3)


def test_an_answer_is_compressed_only_for_who_asks(weir):
    plain = post(weir.endpoint, a_body(BAD))
    assert "content-encoding" not in plain.headers
    asked = post(weir.endpoint, a_body(BAD), headers=[("Accept-Encoding", "gzip")])
    if "content-encoding" in asked.headers:
        assert asked.headers["content-encoding"] == "gzip"
        asked.body = zlib.decompress(asked.body, 31)
    assert asked.rejected() == 1
