/// Counts of tokens in one object, as the APIs of providers have them, and libraries that pass those on.
struct UsageObject {
    private struct Name: Sendable {
        let path: [StaticString]
        let count: WritableKeyPath<Usage.Counts, Int64?> & Sendable
        /// Whoever writes it so counts what the cache had beside the input.
        let isBeside: Bool

        init(
            _ count: WritableKeyPath<Usage.Counts, Int64?> & Sendable, _ path: StaticString..., isBeside: Bool = false
        ) {
            (self.path, self.count, self.isBeside) = (path, count, isBeside)
        }
    }

    /// The first of them that an object has counts.
    private static let names = [
        Name(\.input, "input_tokens"), Name(\.input, "prompt_tokens"), Name(\.input, "inputTokens"),
        Name(\.input, "promptTokens"), Name(\.input, "promptTokenCount"), Name(\.input, "prompt_token_count"),
        Name(\.input, "input"),
        Name(\.output, "output_tokens"), Name(\.output, "completion_tokens"), Name(\.output, "outputTokens"),
        Name(\.output, "completionTokens"), Name(\.output, "candidatesTokenCount"),
        Name(\.output, "candidates_token_count"), Name(\.output, "output"),
        Name(\.total, "total_tokens"), Name(\.total, "totalTokens"), Name(\.total, "totalTokenCount"),
        Name(\.total, "total_token_count"), Name(\.total, "total"),
        // OpenAI's, Google's and LangSmith's are among the input; Anthropic's, Bedrock's and Langfuse's own are not.
        Name(\.cacheRead, "prompt_tokens_details", "cached_tokens"),
        Name(\.cacheRead, "input_tokens_details", "cached_tokens"),
        Name(\.cacheRead, "input_token_details", "cache_read"),
        Name(\.cacheRead, "input_token_details", "cached_tokens"), Name(\.cacheRead, "cachedContentTokenCount"),
        Name(\.cacheRead, "cached_content_token_count"), Name(\.cacheRead, "cache_read_input_tokens", isBeside: true),
        Name(\.cacheRead, "cacheReadInputTokens", isBeside: true),
        Name(\.cacheRead, "input_cached_tokens", isBeside: true), Name(\.cacheRead, "input_cache_read", isBeside: true),
        Name(\.cacheWrite, "input_token_details", "cache_creation"),
        Name(\.cacheWrite, "prompt_tokens_details", "cache_write_tokens"),
        Name(\.cacheWrite, "input_tokens_details", "cache_write_tokens"),
        Name(\.cacheWrite, "prompt_tokens_details", "cache_creation_tokens"),
        Name(\.cacheWrite, "cache_creation_input_tokens", isBeside: true),
        Name(\.cacheWrite, "cacheWriteInputTokens", isBeside: true),
        Name(\.cacheWrite, "input_cache_creation", isBeside: true),
        Name(\.hourCacheWrite, "cache_creation", "ephemeral_1h_input_tokens", isBeside: true),
        Name(\.hourCacheWrite, "input_token_details", "ephemeral_1h_input_tokens"),
        Name(\.reasoning, "completion_tokens_details", "reasoning_tokens"),
        Name(\.reasoning, "output_tokens_details", "reasoning_tokens"),
        Name(\.reasoning, "output_token_details", "reasoning"), Name(\.reasoning, "thoughtsTokenCount"),
        Name(\.reasoning, "thoughts_token_count"), Name(\.reasoning, "output_reasoning_tokens"),
        Name(\.inputAudio, "prompt_tokens_details", "audio_tokens"), Name(\.inputAudio, "input_token_details", "audio"),
        // OpenAI's of a transcription, and of images.
        Name(\.inputAudio, "input_token_details", "audio_tokens"),
        Name(\.inputAudio, "input_tokens_details", "audio_tokens"),
        Name(\.outputAudio, "completion_tokens_details", "audio_tokens"),
        Name(\.outputAudio, "output_token_details", "audio"),
        Name(\.outputAudio, "output_token_details", "audio_tokens"),
        Name(\.outputAudio, "output_tokens_details", "audio_tokens"),
        Name(\.inputImage, "prompt_tokens_details", "image_tokens"),
        Name(\.inputImage, "input_tokens_details", "image_tokens"),
        Name(\.inputImage, "input_token_details", "image_tokens"), Name(\.inputImage, "input_token_details", "image"),
        Name(\.outputImage, "completion_tokens_details", "image_tokens"),
        Name(\.outputImage, "output_tokens_details", "image_tokens"),
        Name(\.outputImage, "output_token_details", "image_tokens"),
        Name(\.outputImage, "output_token_details", "image"),
        // Anthropic's searches of the web, which are paid for beside the tokens.
        Name(\.queries, "server_tool_use", "web_search_requests"),
    ]

    private(set) var counts = Usage.Counts()
    /// How they are to be read where they do not tell themselves.
    private(set) var basis = Usage.CacheBasis.inclusive

    var isEmpty: Bool { counts.isEmpty }

    /// Takes over what the object says and what was read before does not.
    mutating func read(_ object: JSONTree) {
        for name in Self.names where counts[keyPath: name.count] == nil {
            var place: JSONTree? = object
            for member in name.path { place = place?[member] }
            guard let count = place?.asCount else { continue }
            counts[keyPath: name.count] = count
            if name.isBeside, count != 0 { basis = .exclusive }
        }
        addUpWrites(object)
    }

    /// LangChain says 0 of all that was written to Anthropic's cache where it says of it for how long.
    private mutating func addUpWrites(_ object: JSONTree) {
        let beside = object["cache_creation"]?["ephemeral_5m_input_tokens"]?.asCount
        let short = beside ?? object["input_token_details"]?["ephemeral_5m_input_tokens"]?.asCount ?? 0
        if beside ?? 0 != 0 { basis = .exclusive }
        let said = counts.cacheWrite ?? 0
        let (sum, overflow) = short.addingReportingOverflow(counts.hourCacheWrite ?? 0)
        if short < 0 || overflow {
            // What is no count stays wrong.
            counts.cacheWrite = -1
        } else if said >= 0, sum > said {
            counts.cacheWrite = sum
        }
    }
}

extension JSONTree {
    /// Nil where it is no number; -1 where it is one that counts nothing.
    fileprivate var asCount: Int64? {
        switch self {
        case .int(let count): count
        case .number(let digits): Int64(String(decoding: digits, as: UTF8.self)) ?? -1
        case .double(let count): Int64(exactly: count) ?? -1
        default: nil
        }
    }
}
