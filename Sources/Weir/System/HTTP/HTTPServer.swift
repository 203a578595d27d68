import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A server of HTTP/1.1, HTTP/2 or both on one address, with a limit for everything a client can make it hold.
final class HTTPServer: Sendable {
    /// What can be changed while it serves.
    private struct Manner: Sendable {
        let listener: HTTPListener
        let limits: HTTPLimits
        let makeResponder: @Sendable (any EventLoop) throws -> any HTTPResponder
    }

    private struct Serving {
        var manner: Manner
        /// One for each event loop; empty while it does not serve.
        var workers: [NIOLoopBound<HTTPWorker>] = []
        var watching: Task<Void, Never>?
    }

    private let endpoint: Endpoint
    private let loops: Int
    private let serving: Mutex<Serving>
    let budget: ByteBudget
    private let connections = Connections()

    var openConnections: Int { connections.count }

    /// - Parameter makeResponder: is called once on each event loop.
    init(
        _ listener: HTTPListener, limits: HTTPLimits, loops: Int = System.coreCount,
        makeResponder: @escaping @Sendable (any EventLoop) throws -> any HTTPResponder
    ) {
        endpoint = listener.endpoint
        self.loops = loops
        serving = Mutex(Serving(manner: Manner(listener: listener, limits: limits, makeResponder: makeResponder)))
        budget = ByteBudget(limit: limits.maxBytesInFlight, portion: limits.maxBodyBytes)
    }

    /// Serves until the task is cancelled, then answers what is in flight and returns.
    /// - Parameter onListening: is given the address, with the port that the system chose where it was 0.
    func run(onListening: (Endpoint) -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        do {
            try await serve(on: group, onListening)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Answers every request from now on as `other` would, which has the same endpoint and does not run. The port stays
    /// open, and so does every connection; what is being answered is answered as it began. Certificates are for
    /// connections to come.
    ///
    /// Nothing has changed where it throws.
    func become(_ other: HTTPServer) async throws {
        let manner = other.serving.withLock { $0.manner }
        let workers = serving.withLock { $0.workers }
        var responders: [NIOLoopBound<any HTTPResponder>] = []
        for worker in workers {
            let loop = worker.eventLoop
            responders.append(
                try await loop.submit { NIOLoopBound(try manner.makeResponder(loop), eventLoop: loop) }.get())
        }
        for (worker, responder) in zip(workers, responders) {
            try await worker.eventLoop.submit {
                worker.value.change(to: responder.value, manner.limits, manner.listener)
            }.get()
        }
        budget.setLimit(manner.limits.maxBytesInFlight, portion: manner.limits.maxBodyBytes)
        serving.withLock { serving in
            serving.manner = manner
            serving.watching?.cancel()
            serving.watching = Task { await manner.listener.tls?.watch() }
        }
    }

    private func serve(on group: MultiThreadedEventLoopGroup, _ onListening: (Endpoint) -> Void) async throws {
        let manner = serving.withLock { $0.manner }
        var workers: [ObjectIdentifier: NIOLoopBound<HTTPWorker>] = [:]
        for loop in group.makeIterator() {
            workers[ObjectIdentifier(loop)] = try await loop.submit { [self] in
                let worker = HTTPWorker(
                    responder: try manner.makeResponder(loop), executor: EventLoopExecutor(loop), limits: manner.limits,
                    listener: manner.listener, budget: budget, connections: connections)
                return NIOLoopBound(worker, eventLoop: loop)
            }.get()
        }
        let channel = try await listen(group, workers)
        serving.withLock { serving in
            serving.workers = Array(workers.values)
            serving.watching = Task { await manner.listener.tls?.watch() }
        }
        if let address = channel.localAddress {
            onListening(Endpoint(host: address.ipAddress ?? endpoint.host, port: address.port ?? endpoint.port))
        }
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        // Read before the drain, during which somebody may cancel.
        let wasCancelled = Task.isCancelled
        await connections.drain(for: manner.limits.drainTimeout)
        serving.withLock { serving in
            serving.workers = []
            serving.watching?.cancel()
        }
        // NIO closes a listening socket for errors of accept(2) that Linux passes on from the network.
        if !wasCancelled { throw ListenError(endpoint: endpoint, underlying: ChannelError.alreadyClosed) }
    }

    private func listen(
        _ group: MultiThreadedEventLoopGroup, _ workers: [ObjectIdentifier: NIOLoopBound<HTTPWorker>]
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try workers[ObjectIdentifier(channel.eventLoop)]?.value.addHandlers(to: channel)
                }
            }
        do {
            return try await bootstrap.bind(host: endpoint.host, port: endpoint.port).get()
        } catch {
            throw ListenError(endpoint: endpoint, underlying: error)
        }
    }
}

/// The address cannot be served.
struct ListenError: Error, CustomStringConvertible {
    let endpoint: Endpoint
    let underlying: any Error

    var description: String {
        let reason = (underlying as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(underlying)"
        return "cannot listen on \(endpoint): \(reason)"
    }
}

/// The connections that are open.
final class Connections: Sendable {
    /// Asks a connection to close as soon as it owes no answer.
    enum Request: Sendable {
        case finish
    }

    private struct Locked {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
        var empty: CheckedContinuation<Void, Never>?
    }

    private let locked = Mutex(Locked())

    /// - Returns: how many are open now, this one included.
    func add(_ channel: any Channel) -> Int {
        locked.withLock { locked in
            locked.channels[ObjectIdentifier(channel)] = channel
            return locked.channels.count
        }
    }

    func remove(_ channel: any Channel) {
        let waiter = locked.withLock { locked in
            locked.channels[ObjectIdentifier(channel)] = nil
            guard locked.channels.isEmpty else { return CheckedContinuation<Void, Never>?.none }
            defer { locked.empty = nil }
            return locked.empty
        }
        waiter?.resume()
    }

    var count: Int { locked.withLock { $0.channels.count } }
    var isDraining: Bool { locked.withLock { $0.isDraining } }

    /// Returns when every connection is closed; after `limit`, those that are left are cut.
    func drain(for limit: Duration) async {
        let channels = locked.withLock { locked in
            locked.isDraining = true
            return Array(locked.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(Request.finish) }
        let cut = Task {
            try await Task.sleep(for: limit)
            for channel in self.locked.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
        }
        await withCheckedContinuation { continuation in
            let isEmpty = locked.withLock { locked in
                if !locked.channels.isEmpty { locked.empty = continuation }
                return locked.channels.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
        cut.cancel()
    }
}
