"""A program that LangSmith's own client traces: an agent, a call of a model, a retriever, and a tool that fails.

Started with LANGSMITH_* in its environment, once to send runs itself and once to export OTLP.
"""

import os

from langsmith import Client, traceable
from langsmith.run_helpers import get_current_run_tree


@traceable(run_type="llm", name="ChatOpenAI", tags=["fast"],
           metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "ls_temperature": 0.2})
def call(messages):
    usage = {"input_tokens": 27, "output_tokens": 13, "total_tokens": 40, "input_token_details": {"cache_read": 5}}
    get_current_run_tree().set(usage_metadata=usage)
    return {"messages": [{"role": "assistant", "content": "Paris is the capital of France. ✓"}], "usage_metadata": usage}


@traceable(run_type="retriever", name="search")
def search(query):
    return [{"page_content": "Paris", "type": "Document", "metadata": {"page": 3}}]


@traceable(run_type="tool", name="weather")
def weather(city):
    raise ValueError(f"no such city: {city}")


@traceable(run_type="chain", name="agent", metadata={"thread_id": "t-1", "user_id": "u-9"}, tags=["prod"])
def agent(question):
    search(question)
    answer = call([{"role": "user", "content": question}])
    try:
        weather("Atlantis")
    except ValueError:
        pass
    return {"answer": answer["messages"][0]["content"]}


if __name__ == "__main__":
    client = Client()
    agent("What is the capital of France?", langsmith_extra={"client": client})
    client.flush()
    if os.environ.get("LANGSMITH_OTEL_ENABLED") == "true":
        from opentelemetry import trace

        trace.get_tracer_provider().force_flush()
