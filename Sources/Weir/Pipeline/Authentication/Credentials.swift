/// What a client shows to prove who it is. Never shown again: neither in a log nor in an answer.
struct Credentials: Sendable {
    /// Bytes of a key; a longer one is none.
    static let maximumLength = 512

    let key: String
}
