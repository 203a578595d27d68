/// A request with runs, ready to be sent.
struct RunRequest: Sendable {
    let target: LangSmithTarget
    let tenant: String
    let path: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    /// What it does, in the order in which it does so.
    let operations: [RunOperation]

    /// Equal for requests with the same operations.
    var fingerprint: Int { operations.hashValue }
}

/// What a server tells a second time by: it takes each of these once.
struct RunOperation: Hashable, Sendable {
    /// Of the target.
    let target: UInt64
    let trace: RunID
    let run: RunID
    let isPatch: Bool
}
