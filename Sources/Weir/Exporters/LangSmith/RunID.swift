/// What LangSmith knows a run by: a UUID. ``RunIDs`` says which.
struct RunID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// Another id, of which the same is true; this one where `salt` is 0.
    func salted(_ salt: UInt64) -> RunID {
        RunID(high: high ^ salt, low: low ^ (salt &* 0x9E37_79B9_7F4A_7C15))
    }
}

/// One trace of one tenant.
struct TraceKey: Hashable, Sendable {
    let tenant: String
    let high: UInt64
    let low: UInt64

    /// Few tenants have traces with the same id.
    func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
    }
}

extension JSONWriter {
    /// Without quotes: 36 characters, lower case.
    mutating func uuid(_ id: RunID) { uuid(id.high, id.low) }
}
