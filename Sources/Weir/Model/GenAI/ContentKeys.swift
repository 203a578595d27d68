/// The keys of prompts, answers, tool calls and retrieved documents, in all vocabularies that LLM instrumentations use.
enum ContentKeys {
    private static let exact: Set<String> = [
        "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result", "gen_ai.tool.definitions", "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.prompt", "gen_ai.completion", "gen_ai.evaluation.explanation", "gen_ai.event.content",
        "message.content",
        "input.value", "output.value", "llm.prompts", "llm.completions", "llm.prompt_template.template",
        "llm.prompt_template.variables", "llm.function_call", "reranker.query", "tool.parameters",
        "traceloop.entity.input",
        "traceloop.entity.output", "ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.text",
        "ai.response.object", "ai.response.toolCalls", "ai.response.reasoning", "ai.toolCall.args",
        "ai.toolCall.result",
        "ai.value", "ai.values", "ai.result.text", "ai.result.object", "langfuse.observation.input",
        "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output", "mlflow.spanInputs",
        "mlflow.spanOutputs", "mlflow.chat.messages", "pydantic_ai.all_messages", "all_messages_events", "final_result",
        "tool_arguments", "tool_response", "events", "content", "lk.user_input", "lk.response.text",
        "lk.user_transcript",
        "inputs", "outputs", "metadata", "mlflow.chat.tools", "tool_call.function.arguments", "logfire.msg",
        "lk.chat_ctx", "request_data", "response_data", "llm.content", "embedding.text",
    ]
    /// What stands below these is content, whatever it is called.
    private static let whole = [
        "gen_ai.prompt.variable.", "traceloop.prompt.", "langfuse.observation.metadata", "langfuse.trace.metadata",
        "llm.tools.",
    ]
    private static let prefixes = [
        "gen_ai.prompt.", "gen_ai.completion.", "gen_ai.input.messages.", "gen_ai.output.messages.",
        "gen_ai.memory.", "llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.completions.",
        "llm.choices.",
        "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.", "embedding.embeddings.",
    ]
    /// What stands below these prefixes and is no content.
    private static let structural = [
        ".role", ".finish_reason", ".name", ".id", ".type", ".score", ".version", ".embedding.vector",
    ]

    /// - Parameter ofMessage: the attribute is one of an event such as `gen_ai.user.message`.
    static func has(_ key: UnsafeRawBufferPointer, ofMessage: Bool = false) -> Bool {
        let text = String(decoding: key, as: UTF8.self)
        if exact.contains(text) || text.hasSuffix(".tool_call.function.arguments") { return true }
        if ofMessage, text == "message" || text == "tool_calls" { return true }
        if whole.contains(where: { text.hasPrefix($0) }) { return true }
        return prefixes.contains { text.hasPrefix($0) } && !structural.contains { text.hasSuffix($0) }
    }

    /// Whether an event of this name is a message to a model or an answer.
    static func isMessage(event name: UnsafeRawBufferPointer) -> Bool {
        let text = String(decoding: name, as: UTF8.self)
        return text == "gen_ai.choice" || text.hasPrefix("gen_ai.") && text.hasSuffix(".message")
    }
}
