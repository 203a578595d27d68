"""What a span may hold, and what comes out at the other end."""

import math

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, EntityRef, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import archives
from otlp import WHEN, a_body, a_request, a_span, any_value, attribute, field, new_ids, spans_as_bytes, text
from weir import archive
from wire import post, refused


def delivered(weir, request):
    """Posts a request of which everything has to be taken, and checks that the archive holds exactly that."""
    answer = post(weir.endpoint, request.SerializeToString())
    assert answer.rejected() == 0
    spans = weir.spans()
    assert sorted(s.key() for s in spans) == sorted(s.key() for s in archives.flat(request))
    return spans


VALUES = [
    "",
    "text",
    'ünïcödé \U0001f600 \u0000 \u2028 "quoted" \\ \n\t\r \x7f',
    True,
    False,
    0,
    1,
    -1,
    2**63 - 1,
    -(2**63),
    2**53 + 1,
    0.0,
    -0.0,
    1.5,
    1e308,
    5e-324,
    math.inf,
    -math.inf,
    b"",
    b"\x00\xff\x80",
    bytes(range(256)),
    [],
    {},
    None,
    ["mixed", 1, 2.5, True, b"bytes", None, [], {"a": [1, {"b": 2}]}],
    {"": "empty key", "nested": {"deep": {"deeper": [[[]]]}}},
]


@pytest.mark.parametrize("format", ["otlp_proto", "otlp_json"])
def test_every_kind_of_value_survives_everywhere(start, format):
    weir = start(exporters={"archive": archive("archive", format)})
    values = [attribute(f"key {number}", value) for number, value in enumerate(VALUES)]
    trace_id, span_id = new_ids()
    span = a_span(
        attributes=values,
        events=[Span.Event(name="e", time_unix_nano=WHEN, attributes=values)],
        links=[Span.Link(trace_id=trace_id, span_id=span_id, attributes=values)],
    )
    request = a_request(span)
    request.resource_spans[0].resource.attributes.extend(values)
    request.resource_spans[0].scope_spans[0].scope.attributes.extend(values)
    delivered(weir, request)


@pytest.mark.parametrize("format", ["otlp_proto", "otlp_json"])
def test_a_value_that_is_not_a_number_stays_one(start, format):
    weir = start(exporters={"archive": archive("archive", format)})
    assert post(weir.endpoint, a_body(a_span(attributes=[attribute("nan", math.nan)]))).rejected() == 0
    assert math.isnan(weir.spans()[0].span.attributes[0].value.double_value)


def test_every_field_of_a_span_survives(weir):
    trace_id, span_id = new_ids()
    event = Span.Event(
        name="exception", time_unix_nano=WHEN + 1, attributes=[text("exception.type", "E")], dropped_attributes_count=3
    )
    link = Span.Link(
        trace_id=trace_id,
        span_id=span_id,
        trace_state="a=1",
        attributes=[text("k", "v")],
        dropped_attributes_count=4,
        flags=0x301,
    )
    span = a_span(
        trace_state="vendor=value,other=1",
        parent_span_id=span_id,
        flags=0x301,
        kind=Span.SPAN_KIND_CONSUMER,
        attributes=[text("k", "v")],
        dropped_attributes_count=5,
        events=[event, event],
        dropped_events_count=6,
        links=[link, link],
        dropped_links_count=2**32 - 1,
        status=Status(code=Status.STATUS_CODE_ERROR, message="why"),
    )
    request = a_request(span)
    group = request.resource_spans[0]
    group.schema_url, group.resource.dropped_attributes_count = "https://schema.test/1", 7
    group.scope_spans[0].schema_url, group.scope_spans[0].scope.dropped_attributes_count = "https://schema.test/2", 8
    delivered(weir, request)


def test_spans_stay_with_their_resource_and_scope(weir):
    request = a_request(a_span(name="1.1"))
    for number in range(2, 6):
        group = request.resource_spans.add()
        group.resource.attributes.append(text("service.name", f"service {number}"))
        for part in range(3):
            scope = group.scope_spans.add()
            scope.scope.name = f"scope {part}"
            scope.spans.extend(a_span(name=f"{number}.{part}.{n}") for n in range(3))
    request.resource_spans.add().scope_spans.add().spans.append(a_span(name="no resource, no scope"))
    delivered(weir, request)


@pytest.mark.parametrize("flags", [0, 1, 0xFF, 0x100, 0x300, 0x301, 0x80000000, 0xFFFFFFFF])
def test_flags_are_preserved_with_their_reserved_bits(weir, flags):
    trace_id, span_id = new_ids()
    link = Span.Link(trace_id=trace_id, span_id=span_id, flags=flags)
    (archived,) = delivered(weir, a_request(a_span(flags=flags, links=[link])))
    assert archived.span.flags == flags and archived.span.links[0].flags == flags


def test_kinds_and_codes_that_are_not_known_yet_are_preserved(weir):
    delivered(weir, a_request(a_span(kind=99, status=Status(code=77))))


@pytest.mark.parametrize("format", ["otlp_proto", "otlp_json"])
def test_entity_references_are_preserved(start, format):
    weir = start(exporters={"archive": archive("archive", format)})
    request = a_request(a_span())
    request.resource_spans[0].resource.entity_refs.append(
        EntityRef(
            schema_url="https://schema.test", type="service", id_keys=["service.name"], description_keys=["a", "b"]
        )
    )
    (archived,) = delivered(weir, request)
    assert archived.resource.entity_refs[0].id_keys == ["service.name"]


def test_duplicate_attribute_keys_are_preserved_in_their_order(weir):
    attributes = [text("k", "first"), text("other", "x"), text("k", "second"), attribute("k", 3)]
    (archived,) = delivered(weir, a_request(a_span(attributes=attributes)))
    assert [a.key for a in archived.span.attributes] == ["k", "other", "k", "k"]


def test_unknown_fields_are_preserved_in_protobuf(weir):
    unknown = field(1000, b"from the future") + b"\xc1\x3e" + b"12345678" + b"\xc8\x3e\x96\x01" + b"\xd5\x3e" + b"1234"
    request = a_request(
        a_span(
            attributes=[text("k", "v")],
            events=[Span.Event(name="e")],
            links=[Span.Link(trace_id=new_ids()[0], span_id=new_ids()[1])],
            status=Status(code=1),
        )
    )
    group = request.resource_spans[0]
    span = group.scope_spans[0].spans[0]
    parts = [
        group.resource,
        group.scope_spans[0].scope,
        span,
        span.attributes[0],
        span.attributes[0].value,
        span.events[0],
        span.links[0],
        span.status,
    ]
    for part in parts:
        part.MergeFromString(unknown)
    (archived,) = delivered(weir, request)
    assert archived.span.SerializeToString().count(b"from the future") == 6


def test_a_key_by_string_index_counts_as_empty_and_fails_nothing(weir):
    by_index = [
        KeyValue(key_strindex=5, value=AnyValue(string_value="v")),
        KeyValue(key="k", value=AnyValue(string_value_strindex=7)),
    ]
    assert post(weir.endpoint, a_body(a_span(attributes=[text("a", "b"), *by_index]))).rejected() == 0
    (archived,) = weir.spans()
    assert [(a.key, a.value.string_value) for a in archived.span.attributes] == [("a", "b"), ("", "v"), ("k", "")]


BAD_IDS = {
    "a trace id of zeros": dict(trace_id=bytes(16)),
    "a span id of zeros": dict(span_id=bytes(8)),
    "no trace id": dict(trace_id=b""),
    "no span id": dict(span_id=b""),
    "a short trace id": dict(trace_id=b"\x01" * 15),
    "a long trace id": dict(trace_id=b"\x01" * 17),
    "a short span id": dict(span_id=b"\x01" * 7),
    "a long span id": dict(span_id=b"\x01" * 16),
    "a short parent": dict(parent_span_id=b"\x01" * 7),
    "a long parent": dict(parent_span_id=b"\x01" * 9),
}


@pytest.mark.parametrize("fields", BAD_IDS.values(), ids=BAD_IDS.keys())
def test_a_span_with_a_bad_id_is_rejected_alone(weir, fields):
    assert post(weir.endpoint, a_body(a_span(name="before"), a_span(**fields), a_span(name="after"))).rejected() == 1
    assert [archived.span.name for archived in weir.spans()] == ["before", "after"]


def test_an_empty_parent_is_a_root(weir):
    delivered(weir, a_request(a_span(parent_span_id=b"")))


PLACE = "PLACEHOLDER"
TEXTS = {
    "the name": dict(name=PLACE),
    "an attribute's key": dict(attributes=[text(PLACE, "v")]),
    "an attribute": dict(attributes=[text("k", PLACE)]),
    "an array": dict(attributes=[attribute("k", ["a", [PLACE]])]),
    "a nested key": dict(attributes=[attribute("k", {"a": {PLACE: 1}})]),
    "an event's name": dict(events=[Span.Event(name=PLACE)]),
    "an event's attribute": dict(events=[Span.Event(attributes=[text("k", PLACE)])]),
    "the trace state": dict(trace_state=PLACE),
    "the status": dict(status=Status(message=PLACE)),
    "a link": dict(links=[Span.Link(trace_id=b"\1" * 16, span_id=b"\1" * 8, trace_state=PLACE)]),
}
BAD_UTF8 = {
    "a byte that never occurs": b"\xff",
    "a lone continuation": b"\x80",
    "cut off": b"\xe2\x82",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xe0\x80\x80",
    "a surrogate": b"\xed\xa0\x80",
    "past the last code point": b"\xf4\x90\x80\x80",
    "cut off at the end": b"aaaaaaa\xf0\x9f\x98",
}


def spoiled(message, bad=b"\xff"):
    """The encoded message with `bad` in place of the mark, its length kept."""
    data = message.SerializeToString()
    assert data.count(PLACE.encode()) == 1
    return data.replace(PLACE.encode(), b"a" * (len(PLACE) - len(bad)) + bad)


@pytest.mark.parametrize("fields", TEXTS.values(), ids=TEXTS.keys())
def test_a_span_with_a_string_that_is_not_utf8_is_rejected_alone(weir, fields):
    body = spoiled(a_request(a_span(name="before"), a_span(**fields), a_span(name="after")))
    assert post(weir.endpoint, body).rejected() == 1
    assert [archived.span.name for archived in weir.spans()] == ["before", "after"]


@pytest.mark.parametrize("bad", BAD_UTF8.values(), ids=BAD_UTF8.keys())
def test_every_kind_of_bad_utf8_is_found(weir, bad):
    assert post(weir.endpoint, spoiled(a_request(a_span(), a_span(name=PLACE)), bad)).rejected() == 1


def test_bytes_need_not_be_utf8(weir):
    delivered(weir, a_request(a_span(attributes=[attribute("k", b"\xff\xfe\x80")])))


@pytest.mark.parametrize("place", ["resource", "resource schema", "scope name", "scope attribute", "scope schema"])
def test_bad_utf8_beside_the_spans_never_reaches_the_archive(weir, place):
    request = a_request(a_span())
    group = request.resource_spans[0]
    scope = group.scope_spans[0]
    if place == "resource":
        group.resource.attributes.append(text("k", PLACE))
    elif place == "resource schema":
        group.schema_url = PLACE
    elif place == "scope name":
        scope.scope.name = PLACE
    elif place == "scope attribute":
        scope.scope.attributes.append(text(PLACE, "v"))
    else:
        scope.schema_url = PLACE
    request.resource_spans.extend(a_request(a_span(name="sound"), service="another").resource_spans)
    answer = post(weir.endpoint, spoiled(request))
    assert refused(answer, spans=1)
    assert [archived.span.name for archived in weir.spans()] == (["sound"] if answer.status == 200 else [])


def test_a_span_with_a_broken_encoding_is_rejected_alone_or_with_its_request(weir):
    good, cut = a_span(name="good").SerializeToString(), a_span(name="cut").SerializeToString()[:-1]
    answer = post(weir.endpoint, spans_as_bytes(good, cut))
    assert refused(answer, spans=1)
    assert [archived.span.name for archived in weir.spans()] == (["good"] if answer.status == 200 else [])


def deep(levels):
    value = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"k": value}
    return value


def test_values_nest_as_deep_as_real_ones_do(weir):
    delivered(weir, a_request(a_span(attributes=[attribute("k", deep(30))])))


def test_a_value_nested_past_the_limit_is_refused(weir):
    value = any_value("bottom").SerializeToString()
    for _ in range(20_000):
        value = field(5, field(1, value))
    span = a_span().SerializeToString() + field(9, field(1, b"k") + field(2, value))
    answer = post(weir.endpoint, spans_as_bytes(a_span(name="good").SerializeToString(), span))
    assert refused(answer, spans=1)
    assert [archived.span.name for archived in weir.spans()] == (["good"] if answer.status == 200 else [])


def test_times_use_all_64_bits(weir):
    delivered(weir, a_request(a_span(start_time_unix_nano=2**53 + 1, end_time_unix_nano=2**64 - 1)))


def test_a_repeated_resource_is_merged_or_refused_but_never_the_last_one_alone(weir):
    group = a_request(a_span()).resource_spans[0].SerializeToString()
    second = field(1, field(1, text("tenant", "x").SerializeToString()))
    answer = post(weir.endpoint, field(1, group + second))
    spans = weir.spans()
    if answer.status == 200 and not answer.rejected():
        assert [a.key for a in spans[0].resource.attributes] == ["service.name", "tenant"]
    else:
        assert refused(answer) and spans == []
