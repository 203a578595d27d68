/// What LangSmith knows a run by: a UUID, made of OpenTelemetry's ids and nothing else, so that a span that is sent
/// twice is the same run.
///
/// LangSmith's own translators have the same rule: a trace id is the UUID with the same bytes, a span id is filled up
/// with zeros in front, and the root of a trace has the id of the trace.
struct RunID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(trace: TraceKey) {
        high = trace.high
        low = trace.low
    }

    init(span: UInt64) {
        high = 0
        low = span
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Another id, of which the same is true; this one where `salt` is 0.
    func salted(_ salt: UInt64) -> RunID {
        RunID(high: high ^ salt, low: low ^ (salt &* 0x9E37_79B9_7F4A_7C15))
    }
}

/// One trace of one tenant.
struct TraceKey: Hashable, Sendable {
    /// A hash of its name, which is the same in each process.
    let tenant: UInt64
    let high: UInt64
    let low: UInt64
}

extension TraceKey {
    init(tenant name: String, high: UInt64, low: UInt64) {
        self.init(tenant: Self.hash(name), high: high, low: low)
    }

    /// FNV-1a: the same in each process.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension JSONWriter {
    /// Without quotes: 36 characters, lower case.
    mutating func uuid(_ id: RunID) { uuid(id.high, id.low) }
}
