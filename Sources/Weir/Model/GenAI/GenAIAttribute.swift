/// What is asked of a span of an LLM application, and the attributes that say it, in the vocabularies that are in use:
/// OpenTelemetry's `gen_ai.…` of all generations, OpenInference, Traceloop's OpenLLMetry, the Vercel AI SDK, Langfuse,
/// LangSmith, MLflow, OpenLIT, LiteLLM, Pydantic AI.
enum GenAIAttribute: Int, CaseIterable, Sendable {
    case operation, provider, requestModel, responseModel, responseID
    case inputTokens, outputTokens, totalTokens
    case cacheReadTokens, cacheWriteTokens, hourCacheWriteTokens, reasoningTokens
    case inputAudioTokens, outputAudioTokens, inputImageTokens, outputImageTokens
    /// Of those that came from a cache.
    case cachedAudioTokens, cachedImageTokens
    case characters, seconds, queries
    /// Of what was made: speech and its length, and of what was looked at.
    case outputCharacters, outputSeconds, inputVideoTokens
    case serviceTier
    /// In USD, as the processor `cost` found it: of a call, and of what sums up calls, should nothing below it be one.
    case tableCost, aggregateCost
    /// What became of the price, by which row of the list, and `estimate` where it was made of an estimate.
    case costStatus, costPrice, costSource
    /// `exclusive` where the input tokens are those beside the cache's, as the processor `cost` found out.
    case cacheBasis
    /// In USD, as the sender says.
    case cost
    /// In seconds.
    case timeToFirstChunk
    /// In milliseconds.
    case millisecondsToFirstChunk
    case agent, workflow, session, conversation, user, call, tool
    /// What a person should see as the span's name.
    case title
    /// Lists of messages.
    case inputMessages, outputMessages
    case systemInstructions, toolDefinitions
    /// Contents of another shape.
    case input, output
    case retrievalQuery, retrievalDocuments
    /// Whether a prompt template was filled in.
    case promptVariables
    case temperature, topP, topK, maxTokens, stopSequences, frequencyPenalty, presencePenalty, seed, choiceCount
    case isStreaming
    /// All of the above, and more, as one JSON object.
    case parameters
    /// JSON objects of token counts by kind, as LangSmith has them.
    case usage, inputTokenDetails, outputTokenDetails
    /// The same as Langfuse, MLflow and LiteLLM have them, and what the Vercel AI SDK passes on of its provider.
    case usageDetails, providerMetadata
    /// In USD, as the sender says.
    case inputCost, outputCost
    case tags
    /// LangSmith's project.
    case project
    /// A boolean: the sender begins a trace here, whatever the parent says.
    case isRoot

    /// What a row of usage is made of. What follows is content, and what an exporter shows beside it: nothing of that
    /// outlives a span that was sampled out.
    static let ofUsageRows = Array(allCases.prefix { $0 != .title })

    /// What was said to a model, a tool or a search, and what came back.
    static let contents: [GenAIAttribute] = [
        .inputMessages, .outputMessages, .systemInstructions, .toolDefinitions, .input, .output, .retrievalQuery,
        .retrievalDocuments, .promptVariables,
    ]

    /// The first of them that a span has counts.
    var keys: [String] {
        switch self {
        case .operation:
            [
                "langfuse.observation.type", "gen_ai.operation.name", "openinference.span.kind", "ai.operationId",
                "langsmith.span.kind", "mlflow.spanType", "traceloop.span.kind", "llm.request.type",
            ]
        case .provider:
            [
                "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider",
                "mlflow.llm.provider",
            ]
        case .requestModel:
            [
                "gen_ai.request.model", "llm.request.model_name", "ai.model.id", "llm.model_name",
                "embedding.model_name", "reranker.model_name", "mlflow.llm.model", "model_name", "model",
            ]
        case .responseModel:
            [
                "langfuse.observation.model.name", "gen_ai.response.model", "llm.response.model_name",
                "ai.response.model",
            ]
        case .responseID: ["gen_ai.response.id", "ai.response.id"]
        case .inputTokens:
            [
                "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
                "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens", "llm.usage.prompt_tokens",
                "gen_ai.aggregated_usage.input_tokens",
            ]
        case .outputTokens:
            [
                "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
                "ai.usage.outputTokens", "ai.usage.completionTokens", "llm.usage.completion_tokens",
                "gen_ai.aggregated_usage.output_tokens",
            ]
        case .totalTokens:
            ["gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens", "ai.usage.totalTokens"]
        case .cacheReadTokens:
            [
                "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
                "llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input",
                "ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens",
                "gen_ai.usage.prompt_tokens_details.cached_tokens", "gen_ai.usage.details.cache_read_tokens",
                "gen_ai.usage.details.cached_tokens", "gen_ai.usage.details.cache_read_input_tokens",
                "gen_ai.aggregated_usage.cache_read.input_tokens",
                "gen_ai.aggregated_usage.details.cache_read_tokens",
            ]
        case .cacheWriteTokens:
            [
                "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_creation_input_tokens", "llm.token_count.prompt_details.cache_write",
                "ai.usage.inputTokenDetails.cacheWriteTokens", "gen_ai.usage.details.cache_write_tokens",
                "gen_ai.aggregated_usage.cache_write.input_tokens",
                "gen_ai.aggregated_usage.cache_creation.input_tokens",
                "gen_ai.aggregated_usage.details.cache_write_tokens",
            ]
        case .reasoningTokens:
            [
                "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
                "llm.token_count.completion_details.reasoning", "ai.usage.outputTokenDetails.reasoningTokens",
                "ai.usage.reasoningTokens", "gen_ai.usage.completion_tokens_details.reasoning_tokens",
                "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.details.thoughts_tokens",
                "gen_ai.aggregated_usage.details.reasoning_tokens",
            ]
        case .hourCacheWriteTokens: ["weir.usage.cache_write_1h_tokens"]
        case .inputAudioTokens:
            [
                "gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio",
                "gen_ai.usage.details.input_audio_tokens",
            ]
        case .outputAudioTokens:
            [
                "gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio",
                "gen_ai.usage.details.output_audio_tokens",
            ]
        case .inputImageTokens: ["gen_ai.usage.image.input_tokens"]
        case .outputImageTokens: ["gen_ai.usage.image.output_tokens"]
        case .cachedAudioTokens: ["gen_ai.usage.audio.cache_read.input_tokens"]
        case .cachedImageTokens: ["gen_ai.usage.image.cache_read.input_tokens"]
        case .characters: ["weir.usage.characters"]
        case .seconds: ["weir.usage.seconds"]
        case .queries: ["weir.usage.queries"]
        case .outputCharacters: ["weir.usage.output_characters"]
        case .outputSeconds: ["weir.usage.output_seconds"]
        case .inputVideoTokens: ["weir.usage.input_video_tokens"]
        case .serviceTier:
            [
                "openai.response.service_tier", "gen_ai.response.service_tier",
                "gen_ai.openai.response.service_tier", "openai.request.service_tier",
            ]
        case .tableCost: ["weir.cost.total"]
        case .aggregateCost: ["weir.cost.aggregate"]
        case .costStatus: ["weir.cost.status"]
        case .costPrice: ["weir.cost.price"]
        case .costSource: ["weir.cost.source"]
        case .cost:
            [
                "langfuse.observation.cost_details", "gen_ai.usage.cost.amount", "gen_ai.usage.cost",
                "llm.cost.total", "operation.cost", "mlflow.llm.cost", "litellm.cost.total", "gen_ai.cost.total_cost",
            ]
        case .timeToFirstChunk: ["gen_ai.response.time_to_first_chunk"]
        case .millisecondsToFirstChunk: ["ai.response.msToFirstChunk"]
        case .agent: ["gen_ai.agent.name", "agent.name", "agent_name", "gen_ai.agent.id"]
        case .workflow: ["gen_ai.workflow.name", "traceloop.workflow.name"]
        case .session:
            [
                "langfuse.session.id", "session.id", "mlflow.trace.session",
                "ai.telemetry.metadata.sessionId", "traceloop.association.properties.session_id",
            ]
        case .conversation: ["gen_ai.conversation.id"]
        case .user:
            [
                "langfuse.user.id", "user.id", "enduser.id", "mlflow.trace.user", "ai.telemetry.metadata.userId",
                "traceloop.association.properties.user_id", "langsmith.metadata.user_id",
                "metadata.user_api_key_user_id",
            ]
        case .call:
            [
                "call.id", "call_id", "traceloop.association.properties.call_id", "langsmith.metadata.call_id",
                "litellm.call_id",
            ]
        case .tool: ["gen_ai.tool.name", "tool.name", "ai.toolCall.name"]
        case .title: ["langsmith.trace.name", "traceloop.entity.name"]
        case .inputMessages: ["gen_ai.input.messages"]
        case .outputMessages: ["gen_ai.output.messages"]
        case .systemInstructions: ["gen_ai.system_instructions"]
        case .toolDefinitions: ["gen_ai.tool.definitions", "ai.prompt.tools", "mlflow.chat.tools", "tools"]
        case .input:
            [
                "gen_ai.tool.call.arguments", "gen_ai.tool.arguments", "ai.toolCall.args", "ai.toolCall.input",
                "gen_ai.prompt", "langfuse.observation.input", "ai.prompt.messages", "ai.prompt", "ai.value",
                "ai.values",
                "input.value", "traceloop.entity.input", "mlflow.spanInputs", "tool_arguments", "prompt", "inputs",
            ]
        case .output:
            [
                "gen_ai.tool.call.result", "ai.toolCall.result", "ai.toolCall.output", "gen_ai.completion",
                "langfuse.observation.output", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
                "output.value", "traceloop.entity.output", "mlflow.spanOutputs", "final_result", "tool_response",
                "outputs",
            ]
        case .retrievalQuery: ["gen_ai.retrieval.query.text", "reranker.query"]
        case .retrievalDocuments: ["gen_ai.retrieval.documents"]
        case .promptVariables: ["llm.prompt_template.variables"]
        case .temperature: ["gen_ai.request.temperature", "ai.settings.temperature"]
        case .topP: ["gen_ai.request.top_p", "ai.settings.topP"]
        case .topK: ["gen_ai.request.top_k", "llm.top_k", "ai.settings.topK"]
        case .maxTokens: ["gen_ai.request.max_tokens", "ai.settings.maxOutputTokens", "ai.settings.maxTokens"]
        case .stopSequences: ["gen_ai.request.stop_sequences", "llm.chat.stop_sequences"]
        case .frequencyPenalty: ["gen_ai.request.frequency_penalty", "llm.frequency_penalty"]
        case .presencePenalty: ["gen_ai.request.presence_penalty", "llm.presence_penalty"]
        case .seed: ["gen_ai.request.seed"]
        case .choiceCount: ["gen_ai.request.choice.count"]
        case .isStreaming:
            ["gen_ai.request.stream", "llm.is_streaming", "gen_ai.is_streaming", "langsmith.request.streaming"]
        case .parameters: ["llm.invocation_parameters", "embedding.invocation_parameters"]
        case .usage: ["langsmith.usage_metadata", "langsmith.metadata.usage_metadata"]
        case .inputTokenDetails: ["gen_ai.usage.input_token_details"]
        case .outputTokenDetails: ["gen_ai.usage.output_token_details"]
        case .usageDetails:
            ["langfuse.observation.usage_details", "mlflow.chat.tokenUsage", "metadata.usage_object"]
        case .providerMetadata: ["ai.response.providerMetadata"]
        case .cacheBasis: ["weir.cost.cache_basis"]
        case .inputCost: ["llm.cost.prompt"]
        case .outputCost: ["llm.cost.completion"]
        case .tags: ["langsmith.span.tags", "tag.tags"]
        case .project: ["langsmith.trace.session_name"]
        case .isRoot: ["langsmith.is_root"]
        }
    }
}
