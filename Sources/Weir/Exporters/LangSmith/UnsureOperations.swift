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
    /// There were more than are remembered, so none is trusted.
    private var hasForgotten = false

    init(limit: Int = 1 << 18) {
        self.limit = limit
    }

    /// The request is about to be sent.
    /// - Returns: whether it was sent before, and nothing of it in any other.
    mutating func send(_ request: RunRequest) -> Bool {
        if requests.count + request.operations.count > limit { (requests, hasForgotten) = ([:], true) }
        let own = request.fingerprint
        var isRepeated = !hasForgotten
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
