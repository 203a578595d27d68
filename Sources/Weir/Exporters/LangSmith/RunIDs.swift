/// The ids of the runs of one trace: made of OpenTelemetry's ids and the tenant and nothing else, so that a span that
/// is sent twice is the same run.
///
/// LangSmith's own translators have the same rule, but for the tenant: a trace id is the UUID with the same bytes, a
/// span id is filled up with zeros in front, and the root of a trace has the id of the trace. Where tenants are told
/// apart they may share a workspace, and one may choose the ids that another has: so a hash of tenant and trace is the
/// id of the root, and the first half of it stands in front of span ids.
struct RunIDs {
    let root: RunID
    private let front: UInt64

    init(_ trace: TraceKey) {
        guard trace.tenant != Batch.anybody else {
            root = RunID(high: trace.high, low: trace.low)
            front = 0
            return
        }
        // A name has no byte that is 0.
        var text = Array("weir/langsmith/run\0".utf8) + Array(trace.tenant.utf8) + [0]
        for half in [trace.high, trace.low] { withUnsafeBytes(of: half.bigEndian) { text += $0 } }
        let hash = Digest.sha256(text)
        let halves = [0, 8].map { hash[$0..<$0 + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) } }
        root = RunID(high: halves[0], low: halves[1])
        front = halves[0]
    }

    /// - Parameter id: of a span that is not the root's.
    func run(of id: UInt64) -> RunID { RunID(high: front, low: id) }
}
