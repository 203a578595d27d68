/// Makes of records what may stand on a disk, and records of that again: encryption of journals and letters. Tenant,
/// time and count of spans stay as they are, and so does what a client was answered.
protocol RecordCodec: Sendable {
    /// Whether records are to be sealed that are not.
    var isSealing: Bool { get }
    /// Returns the record as it may be written. What it was encrypted with is durable by then.
    func seal(_ record: JournalRecord) async throws(Refusal) -> JournalRecord
    /// The record as it was sealed. Waits while that cannot be said yet, as long as somebody wants it and the task is
    /// not cancelled.
    /// - Parameter isWanted: asked again and again while its key is waited for.
    func open(_ record: JournalRecord, while isWanted: @Sendable (AwaitedKey) -> Bool) async -> OpenedRecord
    /// What of the key that it was sealed with stands in the header.
    func keyID(of record: JournalRecord) -> UInt32
}

/// What became of a sealed record.
enum OpenedRecord: Sendable {
    case record(JournalRecord)
    /// It cannot be had any more, such as when its key was destroyed.
    case gone
    /// Nobody waited for it.
    case interrupted
}

extension RecordCodec {
    /// What may be handed on of records, those that cannot be had any more, and how many cannot be had now.
    /// - Parameter isWanted: nil where nobody waits for a key.
    /// - Returns: nil where somebody waits, and one of them was not waited for.
    func open(
        _ records: [JournalRecord], while isWanted: (@Sendable (AwaitedKey) -> Bool)?
    ) async -> (records: [JournalRecord], gone: [JournalRecord], sealed: Int)? {
        var opened: [JournalRecord] = []
        var gone: [JournalRecord] = []
        var sealed = 0
        // Where nobody waits, one question for a key is enough.
        var away: Set<UInt32> = []
        for record in records {
            guard record.codec != 0 else {
                opened.append(record)
                continue
            }
            guard !away.contains(keyID(of: record)) else {
                sealed += 1
                continue
            }
            switch await open(record, while: isWanted ?? { _ in false }) {
            case .record(let record): opened.append(record)
            case .gone: gone.append(record)
            case .interrupted where isWanted == nil:
                away.insert(keyID(of: record))
                sealed += 1
            case .interrupted: return nil
            }
        }
        return (opened, gone, sealed)
    }
}
