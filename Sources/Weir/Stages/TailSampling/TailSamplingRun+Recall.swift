// What was not kept, and is wanted after all.
extension TailSamplingRun {
    /// The rule of spans that were called back.
    static let promoted = "promoted"
    /// Of the lines that say which, in bytes.
    static let promotedBytes = 64 << 20

    /// Above this, those are forgotten that the ring does not have any more.
    static let maximumPromoted = 10_000

    /// A trace's spans in one record of the ring.
    struct Place: Hashable {
        let sequence: UInt64
        let trace: TraceID
    }

    /// Answers those who ask, and lets go of what is too old.
    func recallIfDue(_ ring: RecallRing) async {
        ring.expire(at: course.now())
        if promotedPlaces.count > Self.maximumPromoted {
            let first = ring.first
            promotedPlaces = promotedPlaces.filter { $0.sequence >= first }
        }
        let requests = RecallRequests(ring.directory)
        do {
            let waiting = try requests.waiting()
            guard !waiting.isEmpty else { return }
            var answers: [(token: String, answer: RecallRequests.Answer)] = []
            for request in waiting {
                let answer = try await promote(try await traces(request.wish, in: ring), from: ring)
                logger.notice(
                    "called spans back", metadata: ["traces": "\(answer.traces)", "spans": "\(answer.spans)"])
                answers.append((request.token, answer))
            }
            try requests.answer(answers)
        } catch {
            telemetry.noteTrouble("cannot call back what was not kept", error)
        }
    }

    private func traces(_ wish: RecallRequests.Wish, in ring: RecallRing) async throws -> Set<TraceID> {
        switch wish {
        case .trace(let trace): return [trace]
        case .condition(let text):
            guard let condition = try? Condition(parsing: text) else { return [] }
            var found: Set<TraceID> = []
            var position = ring.first
            while let (records, next) = try await ring.read(from: position, at: course.now()) {
                for record in records { found.formUnion(try splitter.traces(of: record, where: condition)) }
                position = next
            }
            return found
        }
    }

    private func promote(_ traces: Set<TraceID>, from ring: RecallRing) async throws -> RecallRequests.Answer {
        var answer = RecallRequests.Answer()
        var found: Set<TraceID> = []
        guard !traces.isEmpty else { return answer }
        var position = ring.first
        while let (records, next) = try await ring.read(from: position, at: course.now()) {
            for record in records {
                let wanted = traces.filter { !promotedPlaces.contains(Place(sequence: record.sequence, trace: $0)) }
                guard let (entry, here) = try splitter.promote(wanted, of: record) else { continue }
                _ = try await course.target.journal.append(promoted(entry, here, of: record, ring))
                promotedPlaces.formUnion(here.map { Place(sequence: record.sequence, trace: $0) })
                found.formUnion(here)
                answer.spans += entry.spanCount
                hasNews = true
            }
            position = next
        }
        answer.traces = found.count
        return answer
    }

    private func promoted(
        _ entry: JournalEntry, _ traces: Set<TraceID>, of record: JournalRecord, _ ring: RecallRing
    ) -> JournalEntry {
        var entry = entry
        // What samplers behind the stage leave out of it was counted when it was left out here.
        entry.section = RecordSection()
        entry.section.add(.promoted, UnsafeRawBufferPointer(start: nil, count: 0))
        let sorted = traces.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
        entry.section.add(
            RecordOrigin(
                ring.id, record.sequence...record.sequence,
                decisions: sorted.map {
                    RecordOrigin.Decision(trace: $0, threshold: .always, isKept: true, rule: Self.promoted)
                }))
        return entry
    }

    /// What an earlier process has called back.
    func readPromoted(_ lines: RecentLines) throws(FileError) {
        try lines.forEach { line in
            let parts = line.split(separator: UInt8(ascii: " "))
            guard parts.count == 2, let sequence = UInt64(String(decoding: parts[0], as: UTF8.self)),
                let trace = TraceID(String(decoding: parts[1], as: UTF8.self))
            else { return }
            promotedPlaces.insert(Place(sequence: sequence, trace: trace))
        }
    }

    /// A record of the second journal that comes from the ring.
    func notePromoted(_ origin: RecordOrigin) {
        for decision in origin.decisions {
            let sequence = origin.sequences.lowerBound
            promotedPlaces.insert(Place(sequence: sequence, trace: decision.trace))
            promotedLines += "\(sequence) \(decision.trace.text)\n".utf8
        }
    }
}
