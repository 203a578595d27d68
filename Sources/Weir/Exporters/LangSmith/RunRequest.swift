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
    let standIns: Set<RunOperation>
    /// Equal for requests with the same operations.
    let fingerprint: Int

    init(
        target: LangSmithTarget, tenant: String, path: String, headers: [(name: String, value: String)],
        compression: Compression, body: [UInt8], operations: [RunOperation], standIns: Set<RunOperation> = []
    ) {
        (self.target, self.tenant, self.path, self.headers) = (target, tenant, path, headers)
        (self.compression, self.body, self.operations, self.standIns) = (compression, body, operations, standIns)
        fingerprint = operations.hashValue
    }

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

    /// A run is in one trace, and seldom goes to several targets.
    func hash(into hasher: inout Hasher) {
        hasher.combine(run)
        hasher.combine(isPatch)
    }

    fileprivate var isRootPost: Bool { !isPatch && run == trace }
}
