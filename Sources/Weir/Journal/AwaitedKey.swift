/// The key of a record that cannot be had now, and for which a reader waits.
struct AwaitedKey: Sendable, Equatable {
    let id: UInt64
    /// Of the record.
    let sequence: UInt64
    let tenant: String
    /// Why it cannot be had, such as `unknown key`.
    let reason: String
}
