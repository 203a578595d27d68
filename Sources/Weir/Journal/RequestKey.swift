/// A keyed hash of one request's body, content type and tenant: two requests with the same key are the same request.
struct RequestKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// Stands for "none" on disk; one request in 2^128 is taken for one without a key.
    static let none = RequestKey(high: 0, low: 0)
}
