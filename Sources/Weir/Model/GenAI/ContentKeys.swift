/// The keys of prompts, answers, tool calls and retrieved documents, in all vocabularies that LLM instrumentations use.
enum ContentKeys {
    /// Beside those that say it in place of OpenTelemetry's own (``GenAIAttribute/contents``).
    private static let others: Set<String> = [
        "ai.response.files", "ai.response.reasoning", "ai.result.object", "ai.result.text", "ai.result.toolCalls",
        "all_messages_events", "braintrust.input_json", "braintrust.output_json", "completion", "content",
        "db.query.result.document", "db.query.result.metadata", "embedding.text", "events", "gcp.vertex.agent.data",
        "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_call_args",
        "gcp.vertex.agent.tool_response", "gen_ai.content.completion", "gen_ai.content.prompt",
        "gen_ai.evaluation.explanation", "gen_ai.event.content", "haystack.component.input",
        "haystack.component.output", "langfuse.trace.input", "langfuse.trace.output", "lk.chat_ctx",
        "lk.function_tool.arguments", "lk.function_tool.output", "lk.input_text", "lk.instructions",
        "lk.response.function_calls", "lk.response.text", "lk.user_input", "lk.user_transcript", "llm.completions",
        "llm.content", "llm.function_call", "llm.prompt_template.template", "llm.prompts", "lmnr.span.input",
        "lmnr.span.output", "logfire.msg", "message.content", "metadata", "mlflow.chat.messages", "mlflow.traceInputs",
        "mlflow.traceOutputs", "pydantic_ai.all_messages", "request_data", "response_data", "tool.parameters",
        "tool_call.function.arguments",
    ]
    private static let exact = others.union(GenAIAttribute.contents.flatMap(\.keys))
    /// What stands below these is content, whatever it is called.
    private static let whole = [
        "gen_ai.prompt.variable.", "traceloop.prompt.", "langfuse.observation.metadata", "langfuse.trace.metadata",
        "llm.tools.", "ai.settings.context.", "lk.pii.",
    ]
    private static let prefixes = [
        "gen_ai.prompt.", "gen_ai.completion.", "gen_ai.input.messages.", "gen_ai.output.messages.",
        "gen_ai.memory.", "llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.completions.",
        "llm.choices.", "llm.request.functions.",
        "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.", "embedding.embeddings.",
    ]
    /// What stands below these prefixes and is no content.
    private static let structural = [
        ".role", ".finish_reason", ".name", ".id", ".type", ".score", ".version", ".embedding.vector",
    ]

    /// What says the same as the message of a span's status.
    private static let failures: Set<String> = [
        "exception.message", "exception.stacktrace", "error.message", "langfuse.observation.status_message",
    ]

    /// - Parameter ofMessage: the attribute is one of an event such as `gen_ai.user.message`.
    static func has(_ key: UnsafeRawBufferPointer, ofMessage: Bool = false) -> Bool {
        let text = String(decoding: key, as: UTF8.self)
        if exact.contains(text) || text.hasSuffix(".tool_call.function.arguments") { return true }
        if ofMessage, text == "message" || text == "tool_calls" { return true }
        if whole.contains(where: { text.hasPrefix($0) }) { return true }
        return prefixes.contains { text.hasPrefix($0) } && !structural.contains { text.hasSuffix($0) }
    }

    /// Whether the attribute says how something failed, as the message of a status does.
    static func isFailure(_ key: UnsafeRawBufferPointer) -> Bool {
        failures.contains(String(decoding: key, as: UTF8.self))
    }

    /// Whether an event of this name is a message to a model or an answer.
    static func isMessage(event name: UnsafeRawBufferPointer) -> Bool {
        let text = String(decoding: name, as: UTF8.self)
        return text == "gen_ai.choice" || text.hasPrefix("gen_ai.") && text.hasSuffix(".message")
    }
}
