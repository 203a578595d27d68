/// A request with runs, ready to be sent.
struct RunRequest: Sendable {
    let target: LangSmithTarget
    let tenant: String
    let path: String
    let headers: [(name: String, value: String)]
    let compression: Compression
    let body: [UInt8]
    /// What it does, in the order in which it does so.
    let operations: [RunOperation]
    /// Those of the operations that post a stand-in for a root.
    var standIns: Set<RunOperation> = []

    /// Equal for requests with the same operations.
    var fingerprint: Int { operations.hashValue }

    /// The post of a root that a span is.
    var root: RunOperation? { operations.first { $0.isRootPost && !standIns.contains($0) } }
}

/// What a server tells a second time by: it takes each of these once.
struct RunOperation: Hashable, Sendable {
    /// Of the target.
    let target: UInt64
    let trace: RunID
    let run: RunID
    let isPatch: Bool

    fileprivate var isRootPost: Bool { !isPatch && run == trace }
}
