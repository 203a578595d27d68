/// Who a client is.
struct Identity: Sendable, Equatable {
    /// What the log calls the client.
    let name: String
    /// Whose spans it sends and reads, whatever it says itself.
    let tenant: String
    let scopes: Set<Scope>
}
