/// What goes into a run's `extra`: everything of the span that has no other place in a run.
struct RunMetadata {
    /// Names that are made here where the sender did not give them.
    private enum Derived: Int, CaseIterable {
        case traceID, spanID, provider, model, responseModel, temperature, maxTokens, stop, thread, user, usage

        var name: StaticString {
            switch self {
            case .traceID: "OTEL_TRACE_ID"
            case .spanID: "OTEL_SPAN_ID"
            case .provider: "ls_provider"
            case .model: "ls_model_name"
            case .responseModel: "ls_response_model"
            case .temperature: "ls_temperature"
            case .maxTokens: "ls_max_tokens"
            case .stop: "ls_stop"
            case .thread: "thread_id"
            case .user: "user_id"
            case .usage: "usage_metadata"
            }
        }

        var bit: UInt16 { 1 << UInt16(rawValue) }
    }

    private static let derived = Derived.allCases.map { (name: AttributeKey("\($0.name)"), derived: $0) }
    /// A bit for each length of their names.
    private static let derivedLengths = derived.reduce(0 as UInt64) { $0 | 1 << UInt64($1.name.count) }
    /// Below these a sender's own metadata stands.
    private static let prefixes = [
        "langsmith.metadata.", "traceloop.association.properties.", "ai.telemetry.metadata.",
    ].map(AttributeKey.init)
    /// Settings of the sender's LangSmith client, which puts them there.
    private static let environment = ["LANGSMITH_", "LANGCHAIN_"].map(AttributeKey.init)
    private static let json = AttributeKey("metadata")
    private static let kind = AttributeKey("langsmith.span.kind")
    private static let attachments = AttributeKey("langsmith.attachments")
    private static let hidden = ["langsmith.request.headers", "llm.headers", "langsmith.span.runtime"].map(
        AttributeKey.init)
    private static let costs = AttributeKey("weir.cost.")
    private static let service = AttributeKey("service.name")
    private static let toolPrefix = AttributeKey("llm.tools.")
    private static let functionPrefix = AttributeKey("llm.request.functions.")
    private static let internalProvider = AttributeKey("langsmith.internal_provider")
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

    /// Members, without the braces.
    func write(
        to json: inout JSONWriter, _ place: RunPlace, _ name: UnsafeRawBufferPointer?, _ usage: JSONTree?,
        _ rules: RunRules, _ batch: borrowing Batch
    ) {
        // A bit for each of what is derived.
        var given: UInt16 = 0
        let isCall = genAI.operation(of: batch).isModelCall
        for index in span.attributes.indices where !batch.attributes[index].isRemoved {
            let attribute = batch.attributes[index]
            let key = batch.bytes(attribute.key)
            let value = batch.value(of: attribute)
            if let prefix = Self.prefixes.first(where: { Self.rest(key, after: $0) != nil }) {
                guard let own = Self.rest(key, after: prefix),
                    !Self.environment.contains(where: { Self.rest(own, after: $0) != nil })
                else { continue }
                guard note(own, in: &given) else { continue }
                json.member(.plain(own), JSONTree(readingTextsOf: value))
            } else if Self.json.equals(key), case let tree = JSONTree(readingTextsOf: value), tree.isObject {
                for member in tree.members {
                    if case .plain(let own) = member.key { note(own, in: &given) }
                    json.member(member.key, member.value)
                }
            } else if Self.attachments.equals(key) {
                json.member("langsmith.attachments", .text("left out"))
            } else if isShown(key, isCall, rules) {
                note(key, in: &given)
                json.member(.plain(key), JSONTree(value))
            }
        }
        writeDerived(to: &json, place, name, usage, given, batch)
        writeSurroundings(to: &json, place, batch)
        json.dropComma()
    }

    /// - Returns: false for the ids, which a client that exports OTLP does not know better.
    @discardableResult
    private func note(_ key: UnsafeRawBufferPointer, in given: inout UInt16) -> Bool {
        guard Self.derivedLengths & (1 << UInt64(key.count)) != 0,
            let derived = Self.derived.first(where: { $0.name.equals(key) })?.derived
        else { return true }
        given |= derived.bit
        return derived != .traceID && derived != .spanID
    }

    /// Whether an attribute stands in the metadata as it is.
    private func isShown(_ key: UnsafeRawBufferPointer, _ isCall: Bool, _ rules: RunRules) -> Bool {
        if let attribute = GenAIAttributes.attribute(of: key) {
            switch attribute {
            case .operation: return !Self.kind.equals(key)
            case .provider: return !isCall
            case .agent, .workflow, .call, .responseID, .serviceTier, .tool: return true
            case .inputTokens, .outputTokens, .totalTokens, .cacheReadTokens, .cacheWriteTokens, .reasoningTokens:
                return !isCall
            default: return false
            }
        }
        if GenAIContent.isFlattened(key) || Self.hidden.contains(where: { $0.equals(key) }) { return false }
        if Self.rest(key, after: Self.toolPrefix) != nil || Self.rest(key, after: Self.functionPrefix) != nil {
            return false
        }
        if rules.hidesInputs || rules.hidesOutputs, ContentKeys.has(key) { return false }
        return true
    }

    private func writeDerived(
        to json: inout JSONWriter, _ place: RunPlace, _ name: UnsafeRawBufferPointer?, _ usage: JSONTree?,
        _ given: UInt16, _ batch: borrowing Batch
    ) {
        func add(_ derived: Derived, _ value: JSONTree?) {
            if let value, given & derived.bit == 0 { json.member(derived.name, value) }
        }
        func value(_ attribute: GenAIAttribute) -> JSONTree? {
            genAI.value(attribute, of: batch).map { JSONTree($0) }
        }
        let isCall = genAI.operation(of: batch).isModelCall
        json.raw("\"OTEL_TRACE_ID\":\"")
        json.hexadecimal(span.traceIDHigh)
        json.hexadecimal(span.traceIDLow)
        json.raw("\",\"OTEL_SPAN_ID\":\"")
        json.hexadecimal(span.spanID)
        json.raw("\",")
        if isCall { add(.provider, genAI.text(.provider, of: batch).map(Self.provider)) }
        add(.model, value(.requestModel) ?? value(.responseModel))
        if genAI.has(.requestModel) { add(.responseModel, value(.responseModel)) }
        add(.temperature, value(.temperature))
        add(.maxTokens, value(.maxTokens))
        add(.stop, value(.stopSequences))
        add(.thread, value(.conversation) ?? value(.session))
        add(.user, value(.user))
        add(.usage, usage)
        if let name { json.member("name", .string(.plain(name))) }
        if place.start != span.startTime / 1_000 {
            json.member("otel_start_time_unix_nano", .text("\(span.startTime)"))
        }
        if place.isOrphan {
            json.raw("\"OTEL_PARENT_SPAN_ID\":\"")
            json.hexadecimal(span.parentSpanID)
            json.raw("\",")
        }
    }

    /// LangSmith's usual names.
    private static func provider(_ text: UnsafeRawBufferPointer) -> JSONTree {
        switch String(decoding: text, as: UTF8.self) {
        case "aws.bedrock": .text("bedrock")
        case "azure.ai.openai", "az.ai.openai": .text("azure")
        case "gcp.vertex_ai", "vertex_ai": .text("google_vertexai")
        case "gcp.gemini", "gcp.gen_ai", "gemini": .text("google_genai")
        case "mistral_ai": .text("mistral")
        default: .string(.plain(text))
        }
    }

    /// Resource, scope and links. All of the resource stands on roots only: it is the same on every span.
    private func writeSurroundings(to json: inout JSONWriter, _ place: RunPlace, _ batch: borrowing Batch) {
        let resource = batch.resource(of: span).attributes
        for index in resource.indices where !batch.attributes[index].isRemoved {
            let attribute = batch.attributes[index]
            let key = batch.bytes(attribute.key)
            guard place.parent == nil || Self.service.equals(key), !Self.internalProvider.equals(key) else { continue }
            json.member(.plain(key), JSONTree(batch.value(of: attribute)))
        }
        let scope = batch.scopes[Int(span.scope)]
        if scope.name.count > 0 { json.member("otel_scope_name", .string(.plain(batch.bytes(scope.name)))) }
        guard span.linkCount > 0 else { return }
        json.raw("\"otel_links\":[")
        for index in span.links {
            let link = batch.links[index]
            json.raw("{\"trace_id\":\"")
            json.hexadecimal(link.traceIDHigh)
            json.hexadecimal(link.traceIDLow)
            json.raw("\",\"span_id\":\"")
            json.hexadecimal(link.spanID)
            json.raw("\"},")
        }
        json.dropComma()
        json.raw("],")
    }

    /// `,"invocation_params":{…}`, where there are any.
    func writeParameters(to json: inout JSONWriter, _ batch: borrowing Batch) {
        var members: [JSONTree.Member] = []
        if let all = genAI.value(.parameters, of: batch) { members = JSONTree(readingTextsOf: all).members }
        for (name, attribute) in Self.parameters {
            guard let value = genAI.value(attribute, of: batch),
                !members.contains(where: { $0.key.equals(name) })
            else { continue }
            members.append((JSONTree.Text(name), JSONTree(value)))
        }
        if let tools = genAI.value(.toolDefinitions, of: batch).map({ JSONTree(readingTextsOf: $0) }) ?? tools(batch) {
            members.append((JSONTree.Text("tools"), tools))
        }
        guard !members.isEmpty else { return }
        json.raw(",\"invocation_params\":")
        json.value(.object(members))
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
