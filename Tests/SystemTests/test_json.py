"""OTLP/JSON where it differs from what JSON readers and protobuf's own JSON do."""

import base64
import json
import math

import pytest

from otlp import request_json, span_json
from wire import post_json, refused


def only(weir, span):
    """Posts one span that has to be taken, and returns it as it came out."""
    assert post_json(weir.endpoint, request_json(span)).rejected() == 0
    (archived,) = weir.spans()
    return archived.span


def value(weir, text):
    """Posts one span whose attribute has this AnyValue, given as JSON text, and returns it as it came out."""
    body = json.dumps(request_json(span_json(attributes=[{"key": "k", "value": "HERE"}]))).replace('"HERE"', text)
    assert post_json(weir.endpoint, body).rejected() == 0
    return weir.spans()[0].span.attributes[0].value


def test_ids_are_hex_in_any_case(weir):
    span = only(
        weir,
        span_json(
            traceId="5B8eFFf798038103D269B633813fc60C",
            spanId="EEE19b7ec3c1B174",
            parentSpanId="EEe19B7EC3C1B173",
            links=[{"traceId": "AB" * 16, "spanId": "Cd" * 8}],
        ),
    )
    assert (span.trace_id.hex(), span.span_id.hex()) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert span.parent_span_id.hex() == "eee19b7ec3c1b173"
    assert (span.links[0].trace_id, span.links[0].span_id) == (b"\xab" * 16, b"\xcd" * 8)


BAD_IDS = [
    {"traceId": base64.b64encode(b"\xab" * 16).decode()},
    {"spanId": base64.b64encode(b"\xab" * 8).decode()},
    {"traceId": "00" * 16},
    {"spanId": "00" * 8},
    {"traceId": ""},
    {"spanId": ""},
    {"traceId": ...},
    {"spanId": ...},
    {"traceId": None},
    {"traceId": "ab" * 15},
    {"spanId": "ab" * 9},
    {"spanId": "abc"},
    {"traceId": "zz" * 16},
    {"parentSpanId": "ab"},
    {"parentSpanId": "g" * 16},
    {"traceId": "0x" + "ab" * 15},
]


@pytest.mark.parametrize("fields", BAD_IDS, ids=str)
def test_a_span_with_a_bad_id_is_rejected_alone(weir, fields):
    assert post_json(weir.endpoint, request_json(span_json(name="good"), span_json(**fields))).rejected() == 1
    assert [archived.span.name for archived in weir.spans()] == ["good"]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "SPAN_KIND_SERVER"},
        {"status": {"code": "STATUS_CODE_ERROR"}},
        {"kind": 2.5},
        {"kind": True},
        {"kind": 2**31},
    ],
    ids=str,
)
def test_names_of_enums_are_refused(weir, fields):
    assert refused(post_json(weir.endpoint, request_json(span_json(**fields))))
    assert weir.spans() == []


SNAKE = [
    '{"resource_spans": []}',
    json.dumps(request_json(span_json())).replace("scopeSpans", "scope_spans"),
    *[
        json.dumps(request_json(span_json(**{key: field})))
        for key, field in {
            "trace_state": "a=1",
            "parent_span_id": "ab" * 8,
            "start_time_unix_nano": "1",
            "dropped_attributes_count": 1,
            "events": [{"time_unix_nano": "1"}],
            "links": [{"trace_id": "ab" * 16, "spanId": "ab" * 8}],
            "attributes": [{"key": "k", "value": {"string_value": "v"}}],
        }.items()
    ],
    json.dumps(request_json(span_json())).replace("traceId", "trace_id"),
]


@pytest.mark.parametrize("body", SNAKE)
def test_keys_in_snake_case_are_refused(weir, body):
    """They are no valid keys of the encoding; taken for unknown fields, they would lose data without a word."""
    assert refused(post_json(weir.endpoint, body))
    assert weir.spans() == []


@pytest.mark.parametrize(
    "text, number",
    [
        ('"9223372036854775807"', 2**63 - 1),
        ("9223372036854775807", 2**63 - 1),
        ('"-9223372036854775808"', -(2**63)),
        ("-9223372036854775808", -(2**63)),
        ("9007199254740993", 2**53 + 1),
        ('"9007199254740993"', 2**53 + 1),
        ("0", 0),
        ('"-0"', 0),
        ("-7", -7),
    ],
)
def test_64_bit_integers_are_exact_as_number_and_as_string(weir, text, number):
    assert value(weir, f'{{"intValue": {text}}}').int_value == number


@pytest.mark.parametrize(
    "text",
    [
        '"9223372036854775808"',
        "9223372036854775808",
        "-9223372036854775809",
        '"1.5"',
        "1.5",
        '"abc"',
        '""',
        '" 1"',
        "true",
        "[1]",
        '"0x10"',
    ],
)
def test_what_is_no_64_bit_integer_is_refused(weir, text):
    body = json.dumps(request_json(span_json(attributes=[{"key": "k", "value": {"intValue": "HERE"}}]))).replace(
        '"HERE"', text
    )
    assert refused(post_json(weir.endpoint, body))


@pytest.mark.parametrize("as_text", [True, False])
def test_times_are_exact_as_number_and_as_string(weir, as_text):
    start, end = 2**53 + 1, 2**64 - 1
    span = only(
        weir,
        span_json(startTimeUnixNano=str(start) if as_text else start, endTimeUnixNano=str(end) if as_text else end),
    )
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (start, end)


@pytest.mark.parametrize(
    "text, number",
    [
        ('"Infinity"', math.inf),
        ('"-Infinity"', -math.inf),
        ("1e308", 1e308),
        ('"1.5"', 1.5),
        ("3", 3.0),
        ("-0.0", -0.0),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
        ("123456789.123456789", 123456789.123456789),
    ],
)
def test_doubles_are_exact(weir, text, number):
    double = value(weir, f'{{"doubleValue": {text}}}').double_value
    assert double == number and math.copysign(1, double) == math.copysign(1, number)


def test_a_double_may_be_not_a_number(weir):
    assert math.isnan(value(weir, '{"doubleValue": "NaN"}').double_value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", '"nan"', '"inf"', "1e400", '"x"', "true", ".5", "1.", "+1", "0x1"])
def test_what_is_no_double_is_refused(weir, text):
    body = json.dumps(request_json(span_json(attributes=[{"key": "k", "value": {"doubleValue": "HERE"}}]))).replace(
        '"HERE"', text
    )
    assert refused(post_json(weir.endpoint, body))


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "+/8", "-_8"])
def test_bytes_are_base64_of_either_alphabet_with_or_without_padding(weir, text):
    assert value(weir, json.dumps({"bytesValue": text})).bytes_value == b"\xfb\xff"


def test_empty_bytes_are_a_value(weir):
    assert value(weir, '{"bytesValue": ""}').WhichOneof("value") == "bytes_value"


@pytest.mark.parametrize("text", ["$$$$", "A", "+/8=+/8=", 5])
def test_what_is_no_base64_is_refused(weir, text):
    span = span_json(attributes=[{"key": "k", "value": {"bytesValue": text}}])
    assert refused(post_json(weir.endpoint, request_json(span)))


def test_null_is_the_default_everywhere(weir):
    nothing = dict.fromkeys(
        [
            "traceState",
            "parentSpanId",
            "flags",
            "kind",
            "endTimeUnixNano",
            "attributes",
            "droppedAttributesCount",
            "events",
            "droppedEventsCount",
            "links",
            "droppedLinksCount",
            "status",
        ]
    )
    body = request_json(span_json(**nothing))
    group = body["resourceSpans"][0]
    group["schemaUrl"] = group["resource"]["entityRefs"] = group["scopeSpans"][0]["schemaUrl"] = None
    group["scopeSpans"][0]["scope"]["version"] = None
    assert post_json(weir.endpoint, body).rejected() == 0
    (archived,) = weir.spans()
    assert archived.span.name == "GET /orders" and archived.span.kind == 0 and not archived.span.HasField("status")


@pytest.mark.parametrize("text", ["null", "{}", '{"stringValue": null}'])
def test_a_null_value_is_an_empty_one(weir, text):
    assert value(weir, text).WhichOneof("value") is None


UNKNOWN = {
    "future": 1,
    "of_the_future": 2,
    "deep": {"a": [1, {"b": [None, True, "x\\u0041", -1.5e-7]}]},
    "": {},
    "list": [[[]]],
}


def test_unknown_fields_are_ignored(weir):
    body = request_json(
        span_json(
            **UNKNOWN,
            attributes=[{"key": "k", "value": {"stringValue": "v"}, **UNKNOWN}],
            events=[{"name": "e", **UNKNOWN}],
            status={"code": 2, **UNKNOWN},
        )
    )
    for part in (
        body,
        body["resourceSpans"][0],
        body["resourceSpans"][0]["resource"],
        body["resourceSpans"][0]["scopeSpans"][0],
    ):
        part.update(UNKNOWN)
    assert post_json(weir.endpoint, body).rejected() == 0
    (archived,) = weir.spans()
    assert (
        archived.span.attributes[0].value.string_value == "v"
        and archived.span.events[0].name == "e"
        and archived.span.status.code == 2
    )


def test_fields_may_come_in_any_order(weir):
    text = json.dumps(request_json(span_json(name="backwards")))
    backwards = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert post_json(weir.endpoint, backwards).rejected() == 0
    (archived,) = weir.spans()
    assert archived.span.name == "backwards" and archived.scope.name == "weir.test" and archived.resource.attributes


def test_escapes_are_resolved(weir):
    raw = r'"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0000"'
    assert value(weir, f'{{"stringValue": {raw}}}').string_value == '"\\/\b\f\n\r\tAé€\U0001f600\x00'


def test_keys_may_be_escaped(weir):
    assert value(weir, r'{"\u0073tringValue": "v"}').string_value == "v"


@pytest.mark.parametrize(
    "text", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83dx"']
)
def test_strings_that_are_not_unicode_are_refused(weir, text):
    body = json.dumps(request_json(span_json(name="HERE"))).encode().replace(b'"HERE"', text)
    assert refused(post_json(weir.endpoint, body))
    assert weir.spans() == []


def test_flags_counts_and_status_survive(weir):
    span = only(
        weir,
        span_json(
            flags=0x80000301,
            droppedAttributesCount=1,
            droppedEventsCount=2,
            droppedLinksCount=2**32 - 1,
            traceState="a=1",
            status={"code": 2, "message": "why"},
        ),
    )
    assert (span.flags, span.dropped_attributes_count, span.dropped_events_count) == (0x80000301, 1, 2)
    assert (span.dropped_links_count, span.trace_state, span.status.code, span.status.message) == (
        2**32 - 1,
        "a=1",
        2,
        "why",
    )


def test_duplicate_attribute_keys_survive_in_their_order(weir):
    attributes = [{"key": "k", "value": {"intValue": number}} for number in (1, 2, 3)]
    assert [a.value.int_value for a in only(weir, span_json(attributes=attributes)).attributes] == [1, 2, 3]


def test_string_indexes_count_as_empty(weir):
    attributes = [{"keyStrindex": 4, "value": {"stringValueStrindex": 3}}, {"key": "k", "value": {"stringValue": "v"}}]
    archived = only(weir, span_json(attributes=attributes))
    assert [(a.key, a.value.string_value) for a in archived.attributes] == [("", ""), ("k", "v")]


def test_values_nest_as_deep_as_real_ones_do(weir):
    nested = {"stringValue": "bottom"}
    for level in range(30):
        wrap = (
            {"arrayValue": {"values": [nested]}}
            if level % 2
            else {"kvlistValue": {"values": [{"key": "k", "value": nested}]}}
        )
        nested = wrap
    found = value(weir, json.dumps(nested))
    for level in reversed(range(30)):
        found = found.array_value.values[0] if level % 2 else found.kvlist_value.values[0].value
    assert found.string_value == "bottom"


@pytest.mark.parametrize(
    "opening, closing", [('{"arrayValue":{"values":[', "]}}"), ('{"unknown":', "}"), ('{"unknown":[[', "]]}")]
)
def test_json_nested_past_the_limit_is_refused(weir, opening, closing):
    text = opening * 100_000 + "null" + closing * 100_000
    body = json.dumps(request_json(span_json(attributes=[{"key": "k", "value": "HERE"}]))).replace('"HERE"', text)
    assert refused(post_json(weir.endpoint, body))
    assert post_json(weir.endpoint, request_json(span_json())).status == 200
