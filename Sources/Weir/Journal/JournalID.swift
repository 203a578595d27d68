/// Names one journal for ever: with a record's sequence it is the key under which databases and archives know what they
/// have. Drawn at random when the journal is created, so that replicas and successors never share one.
struct JournalID: Hashable, Sendable {
    let value: UInt64

    /// Sixteen hexadecimal digits, as in the names of archive files.
    var text: String { value.digits(16, radix: 16) }
}
