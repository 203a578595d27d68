/// A record, or a part of one, that lives outside of its journal.
struct KeptRecord: Sendable {
    let journal: JournalID
    let record: JournalRecord
}
