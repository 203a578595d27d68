/// What stood in a place of the last span. Spans of one kind are alike in their keys, and in many of their values.
struct RecentAttribute: BitwiseCopyable {
    /// Places that are kept.
    static let limit = 128

    var key: ByteRef
    /// What the key says.
    var decision: KeyDecision
    var value: ByteRef
    /// It was a text that was looked through, and nothing in it was found, allowed or changed.
    var isClean: Bool
}
