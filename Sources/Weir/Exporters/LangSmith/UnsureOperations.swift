/// Operations that were sent and of which nobody knows whether the destination has them, after an error of the server
/// or of something in between. No clock, no I/O.
///
/// A server that answers "payload already received" may mean one operation of the request, and then takes none of it.
/// It has all of them only where they were sent before, together and in no other request.
struct UnsureOperations {
    /// Of an operation that was sent in several requests.
    private static let several = 0

    private let limit: Int
    /// By operation, the request that it was sent in.
    private var requests: [RunOperation: Int] = [:]
    /// The newest record of the journal of which anything was sent.
    private var newest: UInt64 = 0
    /// There were more than are remembered, so nothing is believed of the records up to this one: it is as if an
    /// earlier process had sent them.
    private(set) var forgottenThrough: UInt64 = 0

    init(limit: Int = 1 << 18) {
        self.limit = limit
    }

    /// The request is about to be sent.
    /// - Parameter last: the newest record that it may have spans of.
    /// - Returns: whether it was sent before, and nothing of it in any other, as far as anything of its records is
    ///   remembered.
    mutating func send(_ request: RunRequest, through last: UInt64) -> Bool {
        newest = max(newest, last)
        if requests.count + request.operations.count > limit { (requests, forgottenThrough) = ([:], newest) }
        let own = request.fingerprint
        var isRepeated = true
        for operation in request.operations {
            let other = requests.updateValue(own, forKey: operation)
            guard other != own else { continue }
            isRepeated = false
            if other != nil { requests[operation] = Self.several }
        }
        return isRepeated
    }

    /// There was an answer that says what has become of the request.
    /// - Parameter isThere: the destination has all of it. Else it has nothing that it did not have before.
    mutating func decide(_ request: RunRequest, isThere: Bool) {
        let own = request.fingerprint
        for operation in request.operations where isThere || requests[operation] == own { requests[operation] = nil }
    }
}
