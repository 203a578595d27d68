/// Somebody listens there.
struct ListenerReference: Sendable {
    let endpoint: Endpoint
    let line: Int
    /// Of the key.
    let path: String

    /// Whether only one of the two can be opened.
    func conflicts(with other: ListenerReference) -> Bool {
        guard endpoint.port == other.endpoint.port, endpoint.port != 0 else { return false }
        return endpoint.host == other.endpoint.host || endpoint.isEveryAddress || other.endpoint.isEveryAddress
            || !Set(endpoint.addresses).isDisjoint(with: other.endpoint.addresses)
    }
}

extension Endpoint {
    fileprivate var isEveryAddress: Bool { address?.allSatisfy { $0 == 0 } ?? false }

    /// Those of a name are what the machine makes of it, but for one.
    fileprivate var addresses: [[UInt8]] {
        host == "localhost" ? [[127, 0, 0, 1], Self.loopback] : address.map { [$0] } ?? []
    }
}

extension Fields {
    /// Records listeners of which one would find its port taken.
    /// - Parameter receivers: those that a pipeline names; the others do not listen.
    mutating func checkListeners(receivers: [ComponentID]) {
        let open = listeners.filter { listener in
            !listener.path.hasPrefix("receivers.")
                || receivers.contains { listener.path.hasPrefix("receivers.\($0).") }
        }
        for (index, listener) in open.enumerated() {
            guard let other = open[..<index].first(where: listener.conflicts) else { continue }
            record(
                line: listener.line, path: listener.path,
                "found \(listener.endpoint), which \(other.path) has too, in line \(other.line); wanted another port")
        }
    }
}
