/// Whose spans, and of which journal: what stores are compared by.
struct SpanOrigin: Hashable, Sendable {
    let journal: JournalID
    let tenant: String
}
