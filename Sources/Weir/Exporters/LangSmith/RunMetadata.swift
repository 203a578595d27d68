/// What goes into a run's `extra`: everything of the span that has no other place in a run.
struct RunMetadata {
    /// What a client that exports OTLP does not know better.
    private static let ids = ["OTEL_TRACE_ID", "OTEL_SPAN_ID"] as [StaticString]
    /// Members that most runs have besides those of the span's attributes.
    private static let usualMembers = 16
    /// Below these a sender's own metadata stands.
    private static let prefixes = [
        "langsmith.metadata.", "traceloop.association.properties.", "ai.telemetry.metadata.",
    ].map(AttributeKey.init)
    /// Settings of the sender's LangSmith client, which puts them there.
    private static let environment = ["LANGSMITH_", "LANGCHAIN_"].map(AttributeKey.init)
    private static let json = AttributeKey("metadata")
    private static let kind = AttributeKey("langsmith.span.kind")
    private static let attachments = AttributeKey("langsmith.attachments")
    private static let runtime = AttributeKey("langsmith.span.runtime")
    private static let hidden = ["langsmith.request.headers", "llm.headers"].map(AttributeKey.init) + [runtime]
    private static let toolDescription = AttributeKey("gen_ai.tool.description")
    private static let toolPrefix = AttributeKey("llm.tools.")
    private static let functionPrefix = AttributeKey("llm.request.functions.")
    private static let parameters: [(StaticString, GenAIAttribute)] = [
        ("model", .requestModel), ("temperature", .temperature), ("top_p", .topP), ("top_k", .topK),
        ("max_tokens", .maxTokens), ("stop", .stopSequences), ("frequency_penalty", .frequencyPenalty),
        ("presence_penalty", .presencePenalty), ("seed", .seed), ("n", .choiceCount), ("stream", .isStreaming),
    ]

    private let span: SpanRecord
    private let genAI: GenAIAttributes

    init(of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch) {
        self.span = span
        self.genAI = genAI
    }

    private static func rest(_ key: UnsafeRawBufferPointer, after prefix: AttributeKey) -> UnsafeRawBufferPointer? {
        guard key.count > prefix.count,
            prefix.equals(UnsafeRawBufferPointer(rebasing: key[..<prefix.count]))
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: key[prefix.count...])
    }

    /// Members, without the braces. Of the same name the first counts: what the sender says of the run goes before its
    /// attributes, these before what is made of them here, and the resource comes last.
    /// - Parameter trimmed: what of the run is not whole.
    func write(
        to json: inout JSONWriter, _ place: RunPlace, _ name: UnsafeRawBufferPointer?, _ usage: RunUsage,
        _ surroundings: RunSurroundings, trimmed: [StaticString], _ rules: RunRules, _ batch: borrowing Batch
    ) {
        var members: [JSONTree.Member] = []
        members.reserveCapacity(Int(span.attributes.count) + Self.usualMembers + surroundings.members.count)
        // Few spans have any.
        var own: [JSONTree.Member] = []
        if !trimmed.isEmpty { own.append((JSONTree.Text(Self.trimmedFields), Self.names(trimmed))) }
        for index in span.attributes.indices where !batch.attributes[index].isRemoved {
            let attribute = batch.attributes[index]
            let key = batch.bytes(attribute.key)
            let value = batch.value(of: attribute)
            if let prefix = Self.prefixes.first(where: { Self.rest(key, after: $0) != nil }) {
                guard let name = Self.rest(key, after: prefix),
                    !Self.environment.contains(where: { Self.rest(name, after: $0) != nil })
                else { continue }
                own.append((.plain(name), JSONTree(readingTextsOf: value)))
            } else if Self.json.equals(key), case let tree = JSONTree(readingTextsOf: value), tree.isObject {
                own += tree.members
            } else if Self.attachments.equals(key) {
                members.append((.plain(key), .text("left out")))
            } else if isShown(index, usage, rules, batch) {
                members.append((.plain(key), JSONTree(value)))
            }
        }
        if !own.isEmpty { members.insert(contentsOf: own, at: 0) }
        addDerived(to: &members, place, name, usage.tree, batch)
        addLinks(to: &members, batch)
        members += surroundings.members
        writeIDs(to: &json)
        json.members(members, behind: Self.ids)
        json.dropComma()
    }

    static let trimmedFields: StaticString = "weir_trimmed_fields"

    static func names(_ fields: [StaticString]) -> JSONTree { .array(fields.map { .string(JSONTree.Text($0)) }) }

    private func writeIDs(to json: inout JSONWriter) {
        json.raw("\"OTEL_TRACE_ID\":\"")
        json.hexadecimal(span.traceIDHigh)
        json.hexadecimal(span.traceIDLow)
        json.raw("\",\"OTEL_SPAN_ID\":\"")
        json.hexadecimal(span.spanID)
        json.raw("\",")
    }

    /// Whether an attribute stands in the metadata as it is.
    private func isShown(_ index: Int, _ usage: RunUsage, _ rules: RunRules, _ batch: borrowing Batch) -> Bool {
        let attribute = batch.attributes[index]
        let key = batch.bytes(attribute.key)
        if let meaning = GenAIAttributes.attribute(of: key) {
            switch meaning {
            case .operation: return !Self.kind.equals(key)
            case .provider: return !genAI.operation(of: batch).isModelCall
            // The run has only the beginning of such a name.
            case .project: return Int(attribute.valueRef.count) > RunProject.maxName
            case .agent, .workflow, .call, .responseID, .serviceTier, .tool, .cachedAudioTokens, .cachedImageTokens,
                .characters, .seconds, .queries, .outputCharacters, .outputSeconds, .inputVideoTokens:
                return true
            case .inputTokens, .outputTokens, .totalTokens, .cacheReadTokens, .cacheWriteTokens, .hourCacheWriteTokens,
                .reasoningTokens, .inputAudioTokens, .outputAudioTokens, .inputImageTokens, .outputImageTokens:
                return !usage.hasCounts
            // A conversation is the thread where there is a session as well.
            case .session: return genAI.has(.conversation) || genAI.index(of: meaning) != index
            case .conversation, .user: return genAI.index(of: meaning) != index
            default: return false
            }
        }
        if GenAIContent.isFlattened(key) || Self.hidden.contains(where: { $0.equals(key) }) { return false }
        if Self.rest(key, after: Self.toolPrefix) != nil || Self.rest(key, after: Self.functionPrefix) != nil {
            return false
        }
        if rules.hidesInputs, Self.toolDescription.equals(key) { return false }
        if rules.hidesContent, ContentKeys.has(key) { return false }
        return true
    }

    private func addDerived(
        to members: inout [JSONTree.Member], _ place: RunPlace, _ name: UnsafeRawBufferPointer?, _ usage: JSONTree?,
        _ batch: borrowing Batch
    ) {
        func add(_ name: StaticString, _ value: JSONTree?) {
            if let value { members.append((JSONTree.Text(name), value)) }
        }
        func value(_ attribute: GenAIAttribute) -> JSONTree? {
            genAI.value(attribute, of: batch).map { JSONTree($0) }
        }
        if genAI.operation(of: batch).isModelCall {
            let isVercels = genAI.rank(of: .provider) == Self.vercels
            add("ls_provider", genAI.text(.provider, of: batch).map { Self.provider($0, isVercels: isVercels) })
        }
        add("ls_model_name", value(.requestModel) ?? value(.responseModel))
        if genAI.has(.requestModel) { add("ls_response_model", value(.responseModel)) }
        add("ls_temperature", value(.temperature))
        add("ls_max_tokens", value(.maxTokens))
        add("ls_stop", value(.stopSequences))
        add("thread_id", value(.conversation) ?? value(.session))
        add("user_id", value(.user))
        add("usage_metadata", usage)
        add("name", name.map { .string(.plain($0)) })
        if place.start != span.startTime / 1_000 { add("otel_start_time_unix_nano", .text("\(span.startTime)")) }
        if place.isOrphan { add("OTEL_PARENT_SPAN_ID", .text(Self.hexadecimal(span.parentSpanID))) }
    }

    private static let vercels = GenAIAttribute.provider.keys.firstIndex(of: "ai.model.provider")

    /// LangSmith's usual names. The Vercel AI SDK's have the kind of model behind them, as `openai.chat` has.
    private static func provider(_ text: UnsafeRawBufferPointer, isVercels: Bool) -> JSONTree {
        let name = String(decoding: text, as: UTF8.self).lowercased()
        return switch name {
        case "aws.bedrock", "amazon-bedrock": .text("bedrock")
        case "azure.ai.openai", "az.ai.openai": .text("azure")
        case "gcp.vertex_ai", "vertex_ai", "google.vertex.chat": .text("google_vertexai")
        case "gcp.gemini", "gcp.gen_ai", "gemini", "google.generative-ai": .text("google_genai")
        case "mistral_ai": .text("mistral")
        default: .text(isVercels ? String(name.prefix { $0 != "." }) : name)
        }
    }

    private func addLinks(to members: inout [JSONTree.Member], _ batch: borrowing Batch) {
        guard span.linkCount > 0 else { return }
        let links = span.links.map { index in
            let link = batch.links[index]
            return JSONTree.fields([
                "trace_id": .text(Self.hexadecimal(link.traceIDHigh) + Self.hexadecimal(link.traceIDLow)),
                "span_id": .text(Self.hexadecimal(link.spanID)),
            ])
        }
        members.append((JSONTree.Text("otel_links"), .array(links)))
    }

    private static func hexadecimal(_ id: UInt64) -> String {
        var json = JSONWriter(capacity: 16)
        json.hexadecimal(id)
        return String(decoding: json.written, as: UTF8.self)
    }

    /// `,"invocation_params":{…}`, where there are any.
    func writeParameters(to json: inout JSONWriter, _ rules: RunRules, _ batch: borrowing Batch) {
        var members: [JSONTree.Member] = []
        if let all = genAI.value(.parameters, of: batch) { members = JSONTree(readingTextsOf: all).members }
        // Applications put prompts and tools among them.
        if rules.hidesInputs {
            members.removeAll { member in !Self.parameters.contains { member.key.equals($0.0) } }
        }
        for (name, attribute) in Self.parameters {
            guard let value = genAI.value(attribute, of: batch),
                !members.contains(where: { $0.key.equals(name) })
            else { continue }
            members.append((JSONTree.Text(name), JSONTree(value)))
        }
        if !rules.hidesInputs,
            let tools = genAI.value(.toolDefinitions, of: batch).map({ JSONTree(readingTextsOf: $0) }) ?? tools(batch)
        {
            members.append((JSONTree.Text("tools"), tools))
        }
        guard !members.isEmpty else { return }
        json.raw(",\"invocation_params\":")
        json.value(.object(members))
    }

    /// `,"runtime":{…}`, where the sender's LangSmith client says what it runs on.
    func writeRuntime(to json: inout JSONWriter, _ batch: borrowing Batch) {
        guard let value = batch.value(of: Self.runtime, in: span.attributes),
            case let tree = JSONTree(readingTextsOf: value), tree.isObject
        else { return }
        json.raw(",\"runtime\":")
        json.value(tree)
    }

    /// OpenInference's and Traceloop's flattened ones.
    private func tools(_ batch: borrowing Batch) -> JSONTree? {
        var tree = DottedAttributes()
        for index in span.attributes.indices where !batch.attributes[index].isRemoved {
            let key = batch.bytes(batch.attributes[index].key)
            guard let rest = Self.rest(key, after: Self.toolPrefix) ?? Self.rest(key, after: Self.functionPrefix)
            else { continue }
            tree.add(rest, batch.value(of: batch.attributes[index]))
        }
        return tree.tree().map { list in
            .array(
                list.elements.map { tool in
                    guard case .string(.plain(let text))? = tool["tool"]?["json_schema"] else { return tool }
                    return JSONTreeReader.container(text) ?? tool
                })
        }
    }
}
