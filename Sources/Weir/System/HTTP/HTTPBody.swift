import NIOCore

/// The body of a request as it comes, and the bytes of the budget that it holds.
struct HTTPBody: ~Copyable {
    /// Room that is not written to costs nothing, but a client could announce much and send little.
    private static let maximumRoom = 1 << 20

    private let worker: HTTPWorker
    private var builder = PayloadBuilder(capacity: 0)
    private var held = 0
    /// Whose bytes they are.
    private var tenant: String?

    init(_ worker: HTTPWorker) {
        self.worker = worker
    }

    /// - Parameters:
    ///   - announced: bytes, as the client says.
    ///   - identity: who sends them; nil where nobody was asked.
    mutating func begin(announced: Int, from identity: Identity?) {
        tenant = identity?.tenant
        builder = PayloadBuilder(capacity: min(announced, Self.maximumRoom))
    }

    /// - Returns: why there is no room for more; nil where there was.
    mutating func append(_ bytes: ByteBuffer) -> HTTPFault? {
        let limit = worker.limits.maxBodyBytes
        guard builder.count + bytes.readableBytes <= limit else { return .bodyTooLarge(limit: limit) }
        guard worker.budget.acquire(bytes.readableBytes, of: tenant) else { return .tooManyBytesInFlight }
        held += bytes.readableBytes
        bytes.withUnsafeReadableBytes { builder.append($0) }
        return nil
    }

    /// Hands over what has come. It holds its bytes of the budget until they are given back.
    mutating func take() -> Payload {
        var whole = PayloadBuilder(capacity: 0)
        swap(&whole, &builder)
        return whole.finish()
    }

    /// The request is answered, or given up.
    mutating func letGo() {
        worker.budget.release(held, of: tenant)
        held = 0
        builder = PayloadBuilder(capacity: 0)
    }
}
