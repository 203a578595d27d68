/// The tables have records of a journal that whoever asks has never written: another process did, with the same
/// journal, or with one of which this is an older copy. Its numbers are given out a second time, so what has them would
/// be taken for what is there.
struct JournalConflict: Error, CustomStringConvertible {
    let journal: JournalID
    let sequence: UInt64

    var description: String {
        "the tables have record \(sequence) of journal \(journal.text), which this process has not written: "
            + "the journal was put back from a copy, or two processes run on copies of it; "
            + "wanted an empty journal beside these tables"
    }
}
