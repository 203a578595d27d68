struct RecallRing: Sendable {
    init(_ configuration: RecallConfiguration) {}
    func add(_ entry: JournalEntry, at now: Timestamp) throws {}
}
