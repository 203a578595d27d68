/// Takes out of batches what was erased, before an exporter sees them: of what stood in a journal, was parked, or comes
/// again. A record whose spans all go stays, without spans, so that the exporter counts on.
struct ErasureView: BatchView {
    private let tombstones: Tombstones
    private let next: (any BatchView)?
    private let telemetry: ErasureTelemetry

    /// - Parameter next: what else the exporter's batches go through.
    init(_ tombstones: Tombstones, _ telemetry: ErasureTelemetry, then next: (any BatchView)? = nil) {
        self.tombstones = tombstones
        self.telemetry = telemetry
        self.next = next
    }

    func view(_ batch: FrozenBatch) async throws(ExportError) -> FrozenBatch {
        let snapshot = tombstones.snapshot
        var batch = batch
        if batch.records.contains(where: { snapshot.subjects.has($0.tenant) }) {
            do {
                batch = try filter(batch, snapshot.subjects)
                // Nothing of these traces is stored before it is known that they are erased.
                try await tombstones.refresh()
            } catch let error as FileError {
                throw .retryable("the register of erasures cannot be used: \(error)", after: nil)
            } catch {
                throw .rejected("a record cannot be decoded: \(error)")
            }
        }
        return try await next?.view(batch) ?? batch
    }

    private func filter(_ batch: FrozenBatch, _ subjects: ErasedSubjects) throws -> FrozenBatch {
        let matchers = subjects.groups.mapValues { $0.map { SubjectMatcher($0) } }
        var filter = RecordErasure()
        let records = try batch.records.map { record in
            var record = record
            for matcher in matchers[record.tenant] ?? [] {
                var traces: Set<TraceID> = []
                guard let erased = try filter.erase(record, matcher, &traces) else { continue }
                telemetry.add(record.spanCount - erased.spanCount, tenant: record.tenant)
                tombstones.note(traces, of: matcher.group)
                record = erased
            }
            return record
        }
        return FrozenBatch(journal: batch.journal, records: records, recoveredThrough: batch.recoveredThrough)
    }
}
