/// What a span says of its usage in an object, as Langfuse, LangSmith, MLflow and LiteLLM have it, or only in the
/// answer of the provider that it carries, said once more in OpenTelemetry's names. What is there already stays.
struct SpelledOutUsage {
    /// Bytes of an object of counts, and of an answer. What is longer is not read.
    private static let maximumObject = 16 << 10
    private static let maximumAnswer = 1 << 20

    private static let keys = Keys()

    private struct Keys: Sendable {
        let counts: [(path: WritableKeyPath<Usage.Counts, Int64?> & Sendable, key: AttributeKey)] = [
            (\.input, AttributeKey("gen_ai.usage.input_tokens")),
            (\.output, AttributeKey("gen_ai.usage.output_tokens")),
            (\.cacheRead, AttributeKey("gen_ai.usage.cache_read.input_tokens")),
            (\.cacheWrite, AttributeKey("gen_ai.usage.cache_write.input_tokens")),
            (\.hourCacheWrite, AttributeKey("weir.usage.cache_write_1h_tokens")),
            (\.reasoning, AttributeKey("gen_ai.usage.reasoning.output_tokens")),
            (\.inputAudio, AttributeKey("gen_ai.usage.audio.input_tokens")),
            (\.outputAudio, AttributeKey("gen_ai.usage.audio.output_tokens")),
            (\.inputImage, AttributeKey("gen_ai.usage.image.input_tokens")),
            (\.outputImage, AttributeKey("gen_ai.usage.image.output_tokens")),
            (\.queries, AttributeKey("weir.usage.queries")),
        ]
        /// Which go before MLflow's.
        let names: [(GenAIAttribute, AttributeKey)] = [
            (.requestModel, AttributeKey("gen_ai.request.model")), (.provider, AttributeKey("gen_ai.provider.name")),
            (.user, AttributeKey("user.id")), (.session, AttributeKey("session.id")),
        ]
        /// As the Vercel AI SDK's own names, it leaves open whether it is among the input.
        let rawCacheWrite = AttributeKey("gen_ai.usage.cache_creation_input_tokens")
        let provider = AttributeKey("gen_ai.provider.name")
        let model = AttributeKey("gen_ai.response.model")
        let response = AttributeKey("gen_ai.response.id")
        let serviceTier = AttributeKey("openai.response.service_tier")
    }

    private var attributes: [(key: AttributeKey, value: NewValue)] = []

    /// Adds what is missing to the span.
    /// - Parameter genAI: what the span says.
    /// - Returns: whether it was anything.
    @discardableResult
    static func add(to index: Int, _ genAI: GenAIAttributes, of batch: inout Batch) -> Bool {
        let hasObject =
            genAI.has(.usageDetails) || genAI.has(.usage) || genAI.has(.inputTokenDetails)
            || genAI.has(.outputTokenDetails) || genAI.has(.providerMetadata)
        let hasCounts = genAI.has(.inputTokens) || genAI.has(.outputTokens)
        let hasAnswer = genAI.has(.output) && (!hasCounts || lacksResponse(genAI, batch))
        guard hasObject || hasAnswer || isQuoted(.requestModel, genAI, batch) else { return false }
        let usage = SpelledOutUsage(genAI, batch)
        for (key, value) in usage.attributes { batch.set(key, to: batch.store(value), of: .span(index)) }
        return !usage.attributes.isEmpty
    }

    /// Bytes at either end of an answer that are looked at before all of it is read.
    private static let maximumEnd = 2_048
    private static let idNames = ["\"id\"", "\"responseId\"", "\"response_id\""].map { AttributeKey($0) }
    private static let usageNames = ["\"usage\"", "\"usageMetadata\"", "\"usage_metadata\""].map { AttributeKey($0) }

    /// Whether the span does not name the response, and its output may be an answer that does: an id stands at either
    /// end of it, and what was used at its end. A model's own words seldom have both.
    private static func lacksResponse(_ genAI: GenAIAttributes, _ batch: borrowing Batch) -> Bool {
        guard !genAI.has(.responseID), let text = genAI.text(.output, of: batch), text.count <= maximumAnswer,
            text.first == UInt8(ascii: "{")
        else { return false }
        let (start, end) = (text.prefix(maximumEnd), text.suffix(maximumEnd))
        return has(usageNames, end) && (has(idNames, start) || has(idNames, end))
    }

    private static func has(_ names: [AttributeKey], _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.indices.contains { place in
            guard bytes[place] == UInt8(ascii: "\"") else { return false }
            let rest = bytes[place...]
            return names.contains { $0.equals(UnsafeRawBufferPointer(rebasing: rest.prefix($0.count))) }
        }
    }

    private static let mlflow = GenAIAttribute.operation.keys.firstIndex(of: "mlflow.spanType")

    /// MLflow writes all values as JSON, also names.
    private static func isQuoted(
        _ attribute: GenAIAttribute, _ genAI: GenAIAttributes, _ batch: borrowing Batch
    ) -> Bool {
        guard genAI.rank(of: .operation) == mlflow, let text = genAI.text(attribute, of: batch), text.count > 2 else {
            return false
        }
        return text.first == UInt8(ascii: "\"") && text.last == UInt8(ascii: "\"")
    }

    private init(_ genAI: GenAIAttributes, _ batch: borrowing Batch) {
        for (attribute, key) in Self.keys.names where Self.isQuoted(attribute, genAI, batch) {
            let text = genAI.name(attribute, of: batch).dropFirst().dropLast()
            if !text.isEmpty { attributes.append((key, .string(String(decoding: text, as: UTF8.self)))) }
        }
        let said = genAI.counts(of: batch)
        var object = UsageObject()
        for attribute in [GenAIAttribute.usageDetails, .usage] {
            Self.withTree(of: genAI.value(attribute, of: batch), Self.maximumObject) { object.read($0) }
        }
        Self.withTree(of: genAI.value(.inputTokenDetails, of: batch), Self.maximumObject) {
            object.read(.fields(["input_token_details": $0]))
        }
        Self.withTree(of: genAI.value(.outputTokenDetails, of: batch), Self.maximumObject) {
            object.read(.fields(["output_token_details": $0]))
        }
        let isUnsaid = object.isEmpty && said.input == nil && said.output == nil
        let isCall = genAI.operation(of: batch).isModelCall
        if isCall, genAI.has(.output), isUnsaid || Self.lacksResponse(genAI, batch) {
            Self.withTree(of: genAI.value(.output, of: batch), Self.maximumAnswer) { answer in
                guard let usage = Self.usage(in: answer) else { return }
                readNames(of: answer, genAI)
                guard isUnsaid else { return }
                object.read(usage)
                readCircumstances(of: answer, usage, genAI)
            }
        }
        add(object, beside: said, isCall: isCall)
        Self.withTree(of: genAI.value(.providerMetadata, of: batch), Self.maximumObject) { metadata in
            guard let anthropic = metadata["anthropic"]?["usage"] else { return }
            var raw = UsageObject()
            raw.read(anthropic)
            if said.cacheWrite == nil { add(Self.keys.rawCacheWrite, raw.counts.cacheWrite) }
            if said.hourCacheWrite == nil, raw.counts.hourCacheWrite ?? 0 > 0 {
                add(AttributeKey("weir.usage.cache_write_1h_tokens"), raw.counts.hourCacheWrite)
            }
        }
    }

    private mutating func add(_ object: UsageObject, beside said: Usage.Counts, isCall: Bool) {
        var (counts, said) = (object.counts, said)
        // Of what sums up calls they are the sum too, and whatever says queries is a call of something.
        if !isCall { counts.queries = nil }
        // LangChain's 0, of which its details know better.
        if said.cacheWrite == 0 { said.cacheWrite = nil }
        // OpenTelemetry's names mean that cached tokens are input and reasoning is output, so they are added up.
        if said.input == nil, said.output == nil, let usage = Usage(counts, default: object.basis) {
            if counts.input != nil { counts.input = usage.inputTokens }
            if counts.output != nil { counts.output = usage.outputTokens }
        }
        for (place, (path, key)) in Self.keys.counts.enumerated() where said[keyPath: path] == nil {
            let count = counts[keyPath: path]
            // Zeros of details, which stand behind input and output, say nothing.
            if place < 2 || count != 0 { add(key, count) }
        }
    }

    private mutating func add(_ key: AttributeKey, _ count: Int64?) {
        if let count { attributes.append((key, .int(count))) }
    }

    /// The counts in what an API of OpenAI's, Anthropic's or Google's kind has answered, or LangChain has made of it.
    private static func usage(in answer: JSONTree) -> JSONTree? {
        let usage = answer["usage"] ?? googleUsage(in: answer) ?? answer["llm_output"]?["token_usage"]
        return usage.flatMap { $0.isObject ? $0 : nil }
    }

    private static func googleUsage(in answer: JSONTree) -> JSONTree? {
        answer["usageMetadata"] ?? answer["usage_metadata"]
    }

    /// Which response it is, by which all who see the call know it.
    private mutating func readNames(of answer: JSONTree, _ genAI: GenAIAttributes) {
        let model = answer["model"] ?? answer["modelVersion"] ?? answer["model_version"]
        add(Self.keys.model, .responseModel, model, genAI)
        add(Self.keys.response, .responseID, answer["id"] ?? answer["responseId"] ?? answer["response_id"], genAI)
    }

    private mutating func readCircumstances(of answer: JSONTree, _ usage: JSONTree, _ genAI: GenAIAttributes) {
        add(Self.keys.serviceTier, .serviceTier, answer["service_tier"] ?? usage["service_tier"], genAI)
        let isAnthropic = answer["type"]?.asText == "message"
        let provider = Self.googleUsage(in: answer) != nil ? "gcp.gemini" : isAnthropic ? "anthropic" : nil
        add(Self.keys.provider, .provider, provider.map { .text($0) }, genAI)
    }

    private mutating func add(
        _ key: AttributeKey, _ attribute: GenAIAttribute, _ said: JSONTree?, _ genAI: GenAIAttributes
    ) {
        guard !genAI.has(attribute), let text = said?.asText, !text.isEmpty, text.utf8.count <= 256 else { return }
        attributes.append((key, .string(text)))
    }

    /// Hands out the object that a value is: one of its own, JSON, or what Python's `repr` has made of it.
    private static func withTree(of value: AnyValue?, _ limit: Int, _ read: (JSONTree) -> Void) {
        guard let value else { return }
        guard case .string(let text) = value else { return read(JSONTree(value)) }
        guard text.count <= limit else { return }
        if let tree = JSONTreeReader.container(text) { return read(tree) }
        guard text.first == UInt8(ascii: "{") else { return }
        let json = String(decoding: text, as: UTF8.self).split(separator: "'", omittingEmptySubsequences: false)
            .enumerated().map { place, part in
                // What stands outside of quotes.
                place % 2 == 0
                    ? String(
                        part.replacing("None", with: "null").replacing("True", with: "true")
                            .replacing("False", with: "false"))
                    : String(part)
            }.joined(separator: "\"")
        Array(json.utf8).withUnsafeBytes { bytes in
            if let tree = JSONTreeReader.container(bytes) { read(tree) }
        }
    }
}
