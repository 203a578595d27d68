"""Writes the request bodies that the benchmarks send: seeded, so that every run measures the same bytes.

backend100: 100 spans of a web backend, about 12 attributes and 760 bytes each.
llm20:      20 LLM calls with about 30 attributes and prompts of 1 to 4 kB; one word in 25 is not ASCII.
one:        one backend span.
backend.records, llm.records: many requests of the first two kinds, no two alike, each behind its length in four bytes.
Each as protobuf (.pb), OTLP/JSON (.json) and gzip of both (.gz), in several distinct variants, so that no cache learns one body.
"""
import gzip
import pathlib
import random
import struct
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
import base64
import json

ROUTES = ["/api/v1/orders/{id}", "/api/v1/users/{id}/cart", "/healthz", "/api/v2/search", "/internal/render"]
HOSTS = ["checkout-7f9c", "cart-5d2a", "search-1b8e", "render-99f0"]
WORDS = ("the model should answer with a short plan and name every tool it wants to call before the next step is taken "
         "because latency matters and the budget of the tenant is limited to what was agreed in the contract").split()
FOREIGN = ["größer", "naïve", "日本語", "привет", "señor", "café", "🙂"]


def put(owner, key, value):
    item = owner.add()
    item.key = key
    if isinstance(value, bool):
        item.value.bool_value = value
    elif isinstance(value, int):
        item.value.int_value = value
    elif isinstance(value, float):
        item.value.double_value = value
    elif isinstance(value, list):
        for element in value:
            item.value.array_value.values.add().string_value = element
    else:
        item.value.string_value = value


def resource(request, rng):
    group = request.resource_spans.add()
    for key, value in [("service.name", "checkout"), ("service.version", "1.42.0"), ("host.name", rng.choice(HOSTS)),
                       ("telemetry.sdk.name", "opentelemetry"), ("telemetry.sdk.language", "python"),
                       ("deployment.environment.name", "production"), ("process.pid", rng.randrange(1, 1 << 15))]:
        put(group.resource.attributes, key, value)
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.asgi"
    scope.scope.version = "0.61b0"
    return scope


def start(scope, rng, trace, name):
    span = scope.spans.add()
    span.trace_id = trace
    span.span_id = rng.randbytes(8)
    if rng.random() < 0.9:
        span.parent_span_id = rng.randbytes(8)
    span.name = name
    span.kind = rng.randrange(1, 6)
    span.flags = 257
    span.start_time_unix_nano = 1_790_000_000_000_000_000 + rng.randrange(10**12)
    span.end_time_unix_nano = span.start_time_unix_nano + rng.randrange(10**9)
    return span


def backend(rng, spans):
    request = ExportTraceServiceRequest()
    scope = resource(request, rng)
    for index in range(spans):
        if index % 10 == 0:
            trace, user = rng.randbytes(16), rng.randbytes(16).hex()
        route = rng.choice(ROUTES)
        span = start(scope, rng, trace, "GET " + route)
        for key, value in [
            ("http.request.method", "GET"), ("http.route", route), ("url.scheme", "https"),
            ("url.full", "https://shop.example.com" + route.replace("{id}", str(rng.randrange(10**6))) + "?page=2&sort=price"), ("http.response.status_code", rng.choice([200, 200, 404, 500])),
            ("server.address", rng.choice(HOSTS) + ".checkout.svc.cluster.local"), ("server.port", 8443), ("k8s.pod.name", rng.choice(HOSTS) + "-" + rng.randbytes(5).hex()),
            ("client.address", f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"),
            ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"),
            ("enduser.id", user), ("app.cache.hit", rng.random() < 0.5), ("app.score", rng.random()),
        ][:12 + index % 2]:
            put(span.attributes, key, value)
        if rng.random() < 0.2:
            event = span.events.add()
            event.name = "retry"
            event.time_unix_nano = span.start_time_unix_nano + 5
            put(event.attributes, "attempt", rng.randrange(5))
        if rng.random() < 0.1:
            span.status.code = 2
            span.status.message = "upstream timed out"
    return request


def prose(rng, size):
    words = []
    length = 0
    while length < size:
        word = rng.choice(FOREIGN) if rng.random() < 0.04 else rng.choice(WORDS)
        if rng.random() < 0.05:
            word += '.\n'
        if rng.random() < 0.02:
            word = '"' + word + '"'
        words.append(word)
        length += len(word) + 1
    return " ".join(words)


def llm(rng, spans):
    request = ExportTraceServiceRequest()
    scope = resource(request, rng)
    trace = rng.randbytes(16)
    for _ in range(spans):
        span = start(scope, rng, trace, "chat gpt-4o")
        for key, value in [
            ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai"), ("gen_ai.request.model", "gpt-4o"),
            ("gen_ai.response.model", "gpt-4o-2024-11-20"), ("gen_ai.request.temperature", 0.2), ("gen_ai.request.max_tokens", 1024),
            ("gen_ai.usage.input_tokens", rng.randrange(100, 9000)), ("gen_ai.usage.output_tokens", rng.randrange(10, 900)),
            ("gen_ai.response.finish_reasons", ["stop"]), ("gen_ai.response.id", "chatcmpl-" + rng.randbytes(12).hex()),
            ("gen_ai.conversation.id", rng.randbytes(16).hex()), ("session.id", rng.randbytes(16).hex()),
            ("user.id", f"user-{rng.randrange(10**6)}"), ("gen_ai.agent.name", "planner"), ("gen_ai.output.type", "text"),
            ("server.address", "api.openai.example"), ("server.port", 443), ("app.tenant", "acme"), ("app.feature", "assistant"),
            ("app.release", "2026.11.3"), ("gen_ai.system_instructions", prose(rng, 1000)),
            ("gen_ai.input.messages", prose(rng, rng.randrange(1000, 4000))),
            ("gen_ai.output.messages", prose(rng, rng.randrange(1000, 2000))),
        ] + [(f"app.experiment.{i}", rng.random() < 0.5) for i in range(8)]:
            put(span.attributes, key, value)
        event = span.events.add()
        event.name = "gen_ai.choice"
        event.time_unix_nano = span.end_time_unix_nano
        put(event.attributes, "index", 0)
    return request


def otlp_json(request):
    document = MessageToDict(request, use_integers_for_enums=True)

    def fix(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("traceId", "spanId", "parentSpanId"):
                    node[key] = base64.b64decode(value).hex()
                else:
                    fix(value)
        elif isinstance(node, list):
            for item in node:
                fix(item)

    fix(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name, make, spans in [("backend100", backend, 100), ("llm20", llm, 20), ("one", backend, 1)]:
        for variant in range(16):
            request = make(random.Random(f"{name}-{variant}"), spans)
            for suffix, body in [("pb", request.SerializeToString()), ("json", otlp_json(request))]:
                (target / f"{name}-{variant}.{suffix}").write_bytes(body)
                (target / f"{name}-{variant}.{suffix}.gz").write_bytes(gzip.compress(body, 6, mtime=0))
    for name, make, spans, requests in [("backend", backend, 100, 1000), ("llm", llm, 20, 250)]:
        rng = random.Random(name)
        with (target / f"{name}.records").open("wb") as file:
            for _ in range(requests):
                body = make(rng, spans).SerializeToString()
                file.write(struct.pack("<I", len(body)) + body)


if __name__ == "__main__":
    main()
