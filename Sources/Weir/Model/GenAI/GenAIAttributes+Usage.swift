/// What a call used, as its span says it.
extension GenAIAttributes {
    /// Spellings whose senders pass on what the provider's API said, in its own way of counting.
    private static let rawReads = ranks(
        .cacheReadTokens, "gen_ai.usage.cache_read_input_tokens", "ai.usage.cachedInputTokens")
    private static let rawWrites = ranks(.cacheWriteTokens, "gen_ai.usage.cache_creation_input_tokens")

    private static func ranks(_ attribute: GenAIAttribute, _ keys: String...) -> Set<Int> {
        Set(keys.compactMap { attribute.keys.firstIndex(of: $0) })
    }

    func counts(of batch: borrowing Batch) -> Usage.Counts {
        guard !hasRareCounts else { return allCounts(of: batch) }
        return Usage.Counts(
            input: count(.inputTokens, of: batch), output: count(.outputTokens, of: batch),
            total: count(.totalTokens, of: batch), cacheRead: count(.cacheReadTokens, of: batch),
            reasoning: count(.reasoningTokens, of: batch))
    }

    private func allCounts(of batch: borrowing Batch) -> Usage.Counts {
        Usage.Counts(
            input: count(.inputTokens, of: batch), output: count(.outputTokens, of: batch),
            total: count(.totalTokens, of: batch), cacheRead: count(.cacheReadTokens, of: batch),
            cacheWrite: count(.cacheWriteTokens, of: batch), hourCacheWrite: count(.hourCacheWriteTokens, of: batch),
            reasoning: count(.reasoningTokens, of: batch), inputAudio: count(.inputAudioTokens, of: batch),
            outputAudio: count(.outputAudioTokens, of: batch), inputImage: count(.inputImageTokens, of: batch),
            outputImage: count(.outputImageTokens, of: batch), cachedAudio: count(.cachedAudioTokens, of: batch),
            cachedImage: count(.cachedImageTokens, of: batch), characters: count(.characters, of: batch),
            seconds: seconds(.seconds, of: batch), queries: count(.queries, of: batch),
            outputCharacters: count(.outputCharacters, of: batch), outputSeconds: seconds(.outputSeconds, of: batch),
            inputVideo: count(.inputVideoTokens, of: batch))
    }

    /// Nil where the span does not say it; negative where what it says is no count.
    private func count(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        has(attribute) ? tokens(attribute, of: batch) ?? -1 : nil
    }

    /// The same of a time: a second that has begun is one.
    private func seconds(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        guard has(attribute) else { return nil }
        return real(attribute, of: batch).flatMap { Int64(exactly: $0.rounded(.up)) } ?? -1
    }

    /// Anthropic counts what its cache was asked for beside the input, and so do those who serve its models.
    func defaultBasis(of batch: borrowing Batch) -> Usage.CacheBasis {
        let isRaw =
            rank(of: .cacheReadTokens).map(Self.rawReads.contains) ?? false
            || rank(of: .cacheWriteTokens).map(Self.rawWrites.contains) ?? false
        guard isRaw else { return .inclusive }
        return modelName(of: batch).lowercased().contains("claude") ? .exclusive : .inclusive
    }

    /// What the library that made the span is known to mean, whatever its counts say.
    func knownBasis(of span: SpanRecord, in batch: borrowing Batch) -> Usage.CacheBasis? {
        has(.cacheReadTokens) || has(.cacheWriteTokens) ? CacheConvention.basis(of: span, in: batch) : nil
    }

    /// What answered; else what was asked for.
    func modelName(of batch: borrowing Batch) -> String {
        let response = bytes(.responseModel, of: batch)
        return String(decoding: response.isEmpty ? bytes(.requestModel, of: batch) : response, as: UTF8.self)
    }

    /// The text of a name, if it is no longer than one is; else nothing.
    func name(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> UnsafeRawBufferPointer {
        guard let text = text(attribute, of: batch), text.count <= 256 else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return text
    }

    /// The same, to be kept.
    func bytes(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> [UInt8] { Array(name(attribute, of: batch)) }

    /// Nil where the span says nothing of use, or its counts contradict each other. What the processor `cost` has
    /// decided holds.
    func usage(of span: SpanRecord, in batch: borrowing Batch) -> Usage? {
        let counts = counts(of: batch)
        guard !counts.isEmpty else { return nil }
        let decided = text(.cacheBasis, of: batch).flatMap {
            Usage.CacheBasis(rawValue: String(decoding: $0, as: UTF8.self))
        }
        return Usage(counts, known: decided ?? knownBasis(of: span, in: batch), default: defaultBasis(of: batch))
    }

    /// All tokens that went in, cached ones among them, and all that came out, reasoning among them, whichever way the
    /// span counts: only so they can be added up. Nil where it does not say them.
    func tokens(of used: Usage?) -> (input: Int64?, output: Int64?) {
        guard let used else { return (nil, nil) }
        return (
            has(.inputTokens) || used.inputTokens > 0 ? used.inputTokens : nil,
            has(.outputTokens) || used.outputTokens > 0 ? used.outputTokens : nil
        )
    }
}
