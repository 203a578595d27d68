/// A batch on its way: what of it is still to be done, halved where the destination refused it. No clock, no I/O.
struct Shipment {
    /// What is to be done with a piece. It stays until that has worked.
    enum Fate: Equatable {
        case export
        /// It goes to the dead letters.
        case bury(_ reason: String)
        /// It is set aside until the destination works for its tenant again.
        case park(_ tenant: String, _ reason: String)
    }

    struct Part {
        let piece: Piece
        var fate = Fate.export
    }

    /// Sequences with nothing in between that need no more work.
    struct Finished: Equatable {
        let sequences: ClosedRange<UInt64>
        /// What their records hold.
        let spans: Int
        /// What of that was exported.
        let sentSpans: Int
    }

    /// Refusals after which what is refused is not halved any more. A destination that refuses everything would else
    /// be asked twice for each span.
    static let maxRefusals = 1_024

    private let splitsRecords: Bool
    /// The last is next.
    private var parts: [Part]
    private var refusals = 0
    private var lastRefusal = ""
    /// Spans that were exported of a record that is not done.
    private var sentSpans = 0
    var backoff: Backoff
    /// Since when nothing worked.
    var failingSince: ContinuousClock.Instant?

    init(_ records: [JournalRecord], splitsRecords: Bool, backoff: Backoff) {
        self.splitsRecords = splitsRecords
        self.backoff = backoff
        parts = records.isEmpty ? [] : [Part(piece: Piece(records[...]))]
    }

    /// What is to be done next; nil when all is done.
    var next: Part? { parts.last }

    /// What was next is done.
    mutating func finish() -> [Finished] {
        guard let part = parts.popLast() else { return [] }
        backoff.reset()
        failingSince = nil
        let isSent = part.fate == .export
        if let spans = part.piece.spans {
            if isSent { sentSpans += spans.count }
            guard part.piece.endsRecord, let record = part.piece.records.first else { return [] }
            defer { sentSpans = 0 }
            return [
                Finished(
                    sequences: record.sequence...record.sequence, spans: record.spanCount, sentSpans: sentSpans)
            ]
        }
        return part.piece.records.runs(isSent: isSent)
    }

    /// The destination cannot take what was next: its halves are next, or it goes to the dead letters.
    mutating func refuse(_ reason: String) {
        guard let part = parts.last else { return }
        refusals += 1
        lastRefusal = reason
        guard refusals <= Self.maxRefusals, let (first, second) = part.piece.halves(splittingRecords: splitsRecords)
        else { return giveUp(reason) }
        parts.removeLast()
        parts += [Part(piece: second), Part(piece: first)]
    }

    /// The record of what was next cannot be taken apart, so nothing of it was exported: it goes to the dead letters.
    mutating func refuseWhole() {
        guard let record = parts.last?.piece.records else { return }
        let sequence = record[record.startIndex].sequence
        parts.removeAll { $0.piece.spans != nil && $0.piece.records.first?.sequence == sequence }
        let reason = "\(lastRefusal) (and its spans cannot be told apart)"
        parts.append(Part(piece: Piece(record), fate: .bury(reason)))
    }

    /// What is next goes to the dead letters.
    mutating func giveUp(_ reason: String) {
        guard !parts.isEmpty else { return }
        parts[parts.count - 1].fate = .bury(reason)
    }

    /// Of what is next, the tenant's records are to be set aside, and before the others.
    /// - Returns: whether there are any.
    @discardableResult
    mutating func park(_ tenant: String, _ reason: String) -> Bool {
        guard let piece = parts.last?.piece, piece.records.contains(where: { $0.tenant == tenant }) else {
            return false
        }
        parts.removeLast()
        let others = piece.records.filter { $0.tenant != tenant }
        let own = piece.records.filter { $0.tenant == tenant }
        if !others.isEmpty { parts.append(Part(piece: Piece(others[...], spans: piece.spans))) }
        parts.append(Part(piece: Piece(own[...], spans: piece.spans), fate: .park(tenant, reason)))
        return true
    }

    /// What is next becomes a part for each of its tenants, with the same to be done.
    /// - Returns: whether it is of several.
    mutating func separateTenants() -> Bool {
        guard let part = parts.last else { return false }
        let tenants = Dictionary(grouping: part.piece.records, by: \.tenant).values
        guard tenants.count > 1 else { return false }
        parts.removeLast()
        parts += tenants.sorted { $0[0].sequence > $1[0].sequence }.map { Part(piece: Piece($0[...]), fate: part.fate) }
        return true
    }

    /// What is next is to be exported after all.
    mutating func exportAfterAll() {
        guard !parts.isEmpty else { return }
        parts[parts.count - 1].fate = .export
    }
}

extension ArraySlice<JournalRecord> {
    /// The records' sequences, put together where nothing lies between them.
    fileprivate func runs(isSent: Bool) -> [Shipment.Finished] {
        var runs: [Shipment.Finished] = []
        for record in self {
            let run = Shipment.Finished(
                sequences: record.sequence...record.sequence, spans: record.spanCount,
                sentSpans: isSent ? record.spanCount : 0)
            if let longer = runs.last?.followed(by: run) {
                runs[runs.count - 1] = longer
            } else {
                runs.append(run)
            }
        }
        return runs
    }
}

extension Shipment.Finished {
    /// Both as one; nil where they are not neighbours.
    func followed(by next: Shipment.Finished) -> Shipment.Finished? {
        guard sequences.upperBound + 1 == next.sequences.lowerBound else { return nil }
        return Shipment.Finished(
            sequences: sequences.lowerBound...next.sequences.upperBound, spans: spans + next.spans,
            sentSpans: sentSpans + next.sentSpans)
    }
}
