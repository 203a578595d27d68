"""Makes the fixtures in Tests/WeirTests/Fixtures/genai: calls of a model as real instrumentations write them.

Each library runs in a process of its own against a provider on this machine that always answers the same: 1,500 input tokens, 500 of
them from the cache, 120 output tokens; 28 tokens for an embedding. So every fixture has the same costs, whatever its vocabulary is.

Usage: python -m venv V && V/bin/pip install -r Tests/SystemTests/requirements-genai.txt && V/bin/python Tests/SystemTests/instrumented.py
LiteLLM and MLflow want other versions of what the rest uses, and have requirements-genai-litellm.txt and -mlflow.txt; there:
V/bin/python Tests/SystemTests/instrumented.py litellm
"""

import http.server
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

FIXTURES = pathlib.Path(__file__).parent.parent / "WeirTests" / "Fixtures" / "genai"
OPENAI_MODEL = "gpt-4o-2024-08-06"
CLAUDE_MODEL = "claude-sonnet-4-20250514"

# Fixture, module, what is called.
LIBRARIES = {
    "openinference-openai": ("openinference.instrumentation.openai", "OpenAIInstrumentor", "openai"),
    "openinference-anthropic": ("openinference.instrumentation.anthropic", "AnthropicInstrumentor", "anthropic"),
    "traceloop-openai": ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor", "openai"),
    "traceloop-anthropic": ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor", "anthropic"),
    # Not there: opentelemetry-instrumentation-openai-v2 2.4b0, which with opentelemetry-util-genai 1.3b0, the one that
    # pip chooses, ends in "No module named 'opentelemetry.util.genai.instruments'".
    "pydantic-ai": (None, None, "pydantic_ai"),
    "langsmith": (None, None, "langsmith"),
    "langfuse": (None, None, "langfuse"),
    # Not there: openlit, of which pip tries version after version and finds none that goes with the others within minutes;
    # the Vercel AI SDK: npm finds no registry where these were made.
}
# In environments of their own.
APART = {"litellm": (None, None, "litellm"), "mlflow": (None, None, "mlflow")}

# What is another one each time, says nothing of the call, or is about this machine.
VOLATILE = ("server.", "gen_ai.openai.api_base", "gen_ai.agent.call.id", "gen_ai.conversation.id", "litellm.call_id", "hidden_params",
            "langsmith.metadata.LANGSMITH", "mlflow.traceRequestId", "metadata.")
KEPT = ("metadata.usage_object",)


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers as OpenAI and Anthropic do."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps(self.answer()).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        if self.path.endswith("/messages"):
            # Anthropic counts what came from its cache beside the input.
            usage = {"input_tokens": 1000, "output_tokens": 120, "cache_read_input_tokens": 500,
                     "cache_creation_input_tokens": 0, "service_tier": "standard"}
            return {"id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE_MODEL, "stop_sequence": None,
                    "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "usage": usage}
        if self.path.endswith("/embeddings"):
            return {"object": "list", "model": "text-embedding-3-small",
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
                    "usage": {"prompt_tokens": 28, "total_tokens": 28}}
        usage = {"prompt_tokens": 1500, "completion_tokens": 120, "total_tokens": 1620,
                 "prompt_tokens_details": {"cached_tokens": 500, "audio_tokens": 0},
                 "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}}
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": OPENAI_MODEL, "usage": usage,
                "service_tier": "default",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}

    def log_message(self, *arguments):
        pass


def call_openai(url, provider):
    import openai

    client = openai.OpenAI(api_key="none", base_url=f"{url}/v1")
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    client.embeddings.create(model="text-embedding-3-small", input="hello")


def call_anthropic(url, provider):
    import anthropic

    messages = [{"role": "user", "content": "hello"}]
    anthropic.Anthropic(api_key="none", base_url=url).messages.create(model=CLAUDE_MODEL, max_tokens=200, messages=messages)


def call_pydantic_ai(url, provider):
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(base_url=f"{url}/v1", api_key="none"))
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    Agent(model, name="planner").run_sync("hello")


def call_langsmith(url, provider):
    os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_API_KEY="none", LANGSMITH_ENDPOINT=url)
    import langsmith
    import openai
    from langsmith.wrappers import wrap_openai

    client = langsmith.Client(otel_tracer_provider=provider, tracing_mode="otel")
    wrapped = wrap_openai(openai.OpenAI(api_key="none", base_url=f"{url}/v1"), tracing_extra={"client": client})
    with langsmith.tracing_context(enabled=True, client=client):
        wrapped.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    client.flush()


def call_langfuse(url, provider):
    import langfuse

    client = langfuse.Langfuse(public_key="pk", secret_key="sk", host=url, tracer_provider=provider)
    from langfuse.openai import OpenAI

    openai = OpenAI(api_key="none", base_url=f"{url}/v1")
    with client.start_as_current_observation(as_type="agent", name="planner"):
        openai.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
        openai.embeddings.create(model="text-embedding-3-small", input="hello")


def call_litellm(url, provider):
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm
    from litellm.integrations.opentelemetry import OpenTelemetry
    from opentelemetry.sdk.trace import SpanProcessor

    # It writes spans on a thread of its own, in the order in which they come; this one ends last.
    written = threading.Semaphore(0)

    class Ended(SpanProcessor):
        def on_end(self, span):
            if span.name == "raw_gen_ai_request":
                written.release()

    provider.add_span_processor(Ended())
    litellm.callbacks = [OpenTelemetry(tracer_provider=provider)]
    messages = [{"role": "user", "content": "hello"}]
    litellm.completion(model="openai/gpt-4o", api_base=f"{url}/v1", api_key="none", messages=messages)
    assert written.acquire(timeout=30)
    litellm.completion(model=f"anthropic/{CLAUDE_MODEL}", api_base=url, api_key="none", messages=messages)
    assert written.acquire(timeout=30)


def call_mlflow(url, provider):
    from opentelemetry import trace

    folder = tempfile.mkdtemp()
    os.environ.update(MLFLOW_USE_DEFAULT_TRACER_PROVIDER="false", MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db")
    trace.set_tracer_provider(provider)
    import mlflow
    import openai

    mlflow.openai.autolog()
    client = openai.OpenAI(api_key="none", base_url=f"{url}/v1")
    with mlflow.start_span("planner", span_type="AGENT"):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
        client.embeddings.create(model="text-embedding-3-small", input="hello")


def value(of):
    match of:
        case bool():
            return {"boolValue": of}
        case int():
            return {"intValue": str(of)}
        case float():
            return {"doubleValue": of}
        case str():
            return {"stringValue": of}
        case _:
            return {"arrayValue": {"values": [value(item) for item in of]}}


def run(name):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    module, instrumentor, kind = (LIBRARIES | APART)[name]
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    if module:
        getattr(importlib.import_module(module), instrumentor)().instrument(tracer_provider=provider)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    globals()[f"call_{kind}"](f"http://127.0.0.1:{server.server_port}", provider)
    spans = []
    finished = exporter.get_finished_spans()
    ids = {span.context.span_id: number for number, span in enumerate(finished, 1)}
    for span in finished:
        attributes = [
            {"key": key, "value": value(item)} for key, item in span.attributes.items()
            if key in KEPT or not key.startswith(VOLATILE)
        ]
        number = ids[span.context.span_id]
        written = {"traceId": f"{1:032x}", "spanId": f"{number:016x}", "name": span.name,
                   "startTimeUnixNano": str(1770091200000000000 + number), "endTimeUnixNano": "1770091201000000000",
                   "attributes": attributes}
        if span.parent:
            written["parentSpanId"] = f"{ids[span.parent.span_id]:016x}"
        spans.append(written)
    scope = {"name": finished[0].instrumentation_scope.name, "version": finished[0].instrumentation_scope.version or ""}
    request = {"resourceSpans": [{"scopeSpans": [{"scope": scope, "spans": spans}]}]}
    FIXTURES.mkdir(exist_ok=True)
    text = json.dumps(request, indent=1, sort_keys=True).replace(f"127.0.0.1:{server.server_port}", "127.0.0.1:8000")
    (FIXTURES / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        failed = [name for name in LIBRARIES if subprocess.run([sys.executable, __file__, name]).returncode]
        sys.exit(f"not made: {', '.join(failed)}" if failed else 0)
