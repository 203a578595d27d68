"""Random requests, made and compared by the protocol's own classes (opentelemetry-proto), through the real program."""

import base64
import json
import random
import struct

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import archives
from otlp import attribute
from weir import archive
from wire import JSON, PROTOBUF, post

WORDS = ["", "a", "http.route", "größe", "日本語", '"quoted"\n', "🙂" * 3, "x" * 200, "\u0000\u001f", "back\\slash"]


def random_value(rng, depth=0):
    kinds = ["text", "flag", "int", "double", "bytes", "none"] + (["list", "map"] if depth < 4 else [])
    match rng.choice(kinds):
        case "text":
            return rng.choice(WORDS)
        case "flag":
            return rng.random() < 0.5
        case "int":
            return rng.choice([0, 1, -1, 2**63 - 1, -(2**63), rng.randrange(-(2**62), 2**62)])
        case "double":
            # Any bits but those of a NaN, which is not equal to itself.
            (number,) = struct.unpack("<d", rng.randbytes(8))
            return number if number == number else 0.5
        case "bytes":
            return rng.randbytes(rng.randrange(0, 20))
        case "list":
            return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        case "map":
            return {f"{rng.choice(WORDS)}{n}": random_value(rng, depth + 1) for n in range(rng.randrange(4))}
    return None


def random_attributes(rng, owner):
    for number in range(rng.choice([0, 1, 3, 12])):
        owner.attributes.append(attribute(f"{rng.choice(WORDS)}.{number}", random_value(rng)))
    owner.dropped_attributes_count = rng.choice([0, 0, 7])


def random_request(rng):
    request = ExportTraceServiceRequest()
    for _ in range(rng.randrange(1, 3)):
        resource = request.resource_spans.add(schema_url=rng.choice(WORDS[:4]))
        random_attributes(rng, resource.resource)
        if rng.random() < 0.3:
            resource.resource.entity_refs.add(type="service", id_keys=["service.name"], schema_url=rng.choice(WORDS[:4]))
        for _ in range(rng.randrange(1, 3)):
            scope = resource.scope_spans.add(schema_url=rng.choice(WORDS[:4]))
            scope.scope.name, scope.scope.version = rng.choice(WORDS), rng.choice(WORDS)
            random_attributes(rng, scope.scope)
            for _ in range(rng.randrange(1, 5)):
                random_span(rng, scope.spans.add())
    return request


def random_span(rng, span):
    span.trace_id, span.span_id = rng.randbytes(15) + b"\x01", rng.randbytes(7) + b"\x01"
    span.parent_span_id = rng.choice([b"", rng.randbytes(7) + b"\x01"])
    span.name, span.trace_state = rng.choice(WORDS), rng.choice(["", "vendor=1,ot=th:8"])
    span.kind, span.flags = rng.randrange(6), rng.choice([0, 1, 257, 769, 2**32 - 1])
    span.start_time_unix_nano = 1_790_000_000_000_000_000 + rng.randrange(10**9)
    span.end_time_unix_nano = rng.choice([0, 2**64 - 1, span.start_time_unix_nano + 5])
    random_attributes(rng, span)
    for _ in range(rng.choice([0, 0, 1, 3])):
        event = span.events.add(name=rng.choice(WORDS), time_unix_nano=rng.randrange(2**64))
        random_attributes(rng, event)
    for _ in range(rng.choice([0, 0, 2])):
        link = span.links.add(trace_id=rng.randbytes(15) + b"\x01", span_id=rng.randbytes(7) + b"\x01", flags=rng.randrange(2**32))
        random_attributes(rng, link)
    span.dropped_events_count, span.dropped_links_count = rng.choice([0, 3]), rng.choice([0, 2**32 - 1])
    if rng.random() < 0.5:
        span.status.code, span.status.message = rng.randrange(3), rng.choice(WORDS)


def as_json(request):
    """The request in OTLP/JSON, with ids in hexadecimal."""
    document = json_format.MessageToDict(request, use_integers_for_enums=True)

    def fix(node):
        if isinstance(node, list):
            for member in node:
                fix(member)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in archives.IDS:
                    node[key] = base64.b64decode(value).hex()
                else:
                    fix(value)

    fix(document)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode()


@pytest.mark.parametrize("format", ["otlp_proto", "otlp_json"])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_random_requests_come_out_equal(start, encoding, format):
    weir = start(exporters={"archive": archive("archive", format)})
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    sent = []
    for _ in range(150):
        request = random_request(rng)
        sent += [span.key() for span in archives.flat(request)]
        if encoding == "json":
            answer = post(weir.endpoint, as_json(request), JSON)
        else:
            answer = post(weir.endpoint, request.SerializeToString())
        assert answer.rejected() == 0
    assert sorted(span.key() for span in weir.spans()) == sorted(sent)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_random_requests_are_changed_as_the_same_change_to_the_message(start, encoding):
    text = """\
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
processors:
  attributes: { actions: [ { key: added, value: [one, two], action: insert }, { key: http.route.0, action: delete } ] }
  filter: { traces: { span: [ 'kind == server and status == ok' ] } }
exporters:
  archive: { directory: archive, format: otlp_proto, compression: none, max_file_age: 1s }
service:
  telemetry: { metrics: { endpoint: "127.0.0.1:0" } }
  pipelines: { traces: { receivers: [otlp], processors: [attributes, filter], exporters: [archive] } }
"""
    weir = start(text=text)
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    wanted = []
    for _ in range(150):
        request = random_request(rng)
        body = as_json(request) if encoding == "json" else request.SerializeToString()
        assert post(weir.endpoint, body, JSON if encoding == "json" else PROTOBUF).rejected() == 0
        for item in archives.flat(request):
            if item.span.kind == 2 and item.span.status.code == 1:
                continue
            kept = [pair for pair in item.span.attributes if pair.key != "http.route.0"]
            del item.span.attributes[:]
            item.span.attributes.extend(kept + [attribute("added", ["one", "two"])])
            wanted.append(item.key())
    assert sorted(span.key() for span in weir.spans()) == sorted(wanted)
