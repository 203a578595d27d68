/// Something that has to be durable before a record is, such as the key that it was encrypted with.
struct Prerequisite: Sendable {
    /// Returns when it is. Where it cannot be, the record is refused and nothing of it is written.
    let settle: @Sendable () async throws(Refusal) -> Void
}
