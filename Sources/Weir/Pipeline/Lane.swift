/// One event loop's copy of a pipeline's processors. Lanes share nothing, so no lock is taken and no thread changed
/// between the body of a request and the journal.
final class Lane {
    let pipeline: Pipeline
    private var processors: [any Processor]
    /// Bytes that an entry may have.
    private let limit: Int
    private var encoder: OTLPEncoder
    private var sampledOut: SampledOutEncoder

    init(of pipeline: Pipeline, processors: [any Processor]) {
        self.pipeline = pipeline
        self.processors = processors
        limit = min(pipeline.journal.limits.maxEntryBytes, ReverseWriter.maxLimit)
        encoder = OTLPEncoder(limit: limit)
        sampledOut = SampledOutEncoder(limit: limit)
    }

    /// Runs the processors over a batch, from first to last.
    /// - Returns: what the journal is to keep; nil when no span is left, nor anything of one that was sampled out.
    func process(_ batch: inout Batch) throws(Refusal) -> JournalEntry? {
        for index in processors.indices {
            try processors[index].process(&batch)
        }
        if batch.isOverfull { throw .tooLarge("what the processors made of the request is over max_decoded_size") }
        guard batch.spanCount > 0 || batch.sampledOutSpanCount > 0 else { return nil }
        var section = RecordSection()
        if batch.sampledOutSpanCount > 0 {
            guard let content = sampledOut.encode(batch) else { throw tooLarge }
            section.add(.sampledOut, content)
        }
        guard let payload = encoder.encode(batch) else { throw tooLarge }
        var entry = JournalEntry(
            tenant: batch.tenant, receivedAt: batch.receivedAt, spanCount: batch.spanCount,
            payload: payload, section: section, rejected: batch.rejected)
        for index in processors.indices {
            if let prerequisite = processors[index].takePrerequisite() { entry.prerequisites.append(prerequisite) }
        }
        return entry
    }

    private var tooLarge: Refusal {
        .tooLarge(
            "what the processors made of the request is over \(ByteCount(limit)), which is all that a record may have")
    }
}
