import Logging
import Synchronization

/// The servers of one receiver: one for each protocol, each on its own endpoint.
///
/// One goes on where another receiver takes its place on the same endpoint; others come and go.
final class OTLPServers: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case http, grpc
    }

    struct Running: Sendable {
        let endpoint: Endpoint
        let server: HTTPServer
        let task: Task<Void, any Error>

        /// Answers what is in flight.
        func stop() async {
            task.cancel()
            _ = await task.result
        }
    }

    private let running = Mutex<[Kind: Running]>([:])
    /// Why one that served does not any more.
    let failures: AsyncStream<any Error>
    private let failure: AsyncStream<any Error>.Continuation

    init() {
        (failures, failure) = AsyncStream.makeStream()
    }

    func server(_ kind: Kind) -> HTTPServer? { running.withLock { $0[kind]?.server } }

    /// Serves what is described, and nothing else. Where it throws, none has begun or ended; one that goes on may have
    /// its new settings already.
    /// - Parameters:
    ///   - wanted: servers that do not run, by kind.
    ///   - onListening: is given the address of each that begins.
    func apply(
        _ wanted: [Kind: (endpoint: Endpoint, server: HTTPServer)],
        onListening: @escaping @Sendable (Kind, Endpoint) -> Void
    ) async throws {
        let before = running.withLock { $0 }
        var after: [Kind: Running] = [:]
        do {
            for (kind, (endpoint, server)) in wanted where before[kind]?.endpoint != endpoint {
                after[kind] = try await start(server, endpoint) { onListening(kind, $0) }
            }
            for (kind, (endpoint, server)) in wanted {
                guard let old = before[kind], old.endpoint == endpoint else { continue }
                try await old.server.become(server)
                after[kind] = old
            }
        } catch {
            for (kind, new) in after where before[kind]?.endpoint != new.endpoint { await new.stop() }
            throw error
        }
        running.withLock { [after] in $0 = after }
        for (kind, old) in before where after[kind]?.endpoint != old.endpoint { await old.stop() }
    }

    func stop() async {
        let all = running.withLock { running in
            defer { running = [:] }
            return running
        }
        for old in all.values { old.task.cancel() }
        for old in all.values { await old.stop() }
    }

    /// Returns once it listens.
    private func start(
        _ server: HTTPServer, _ endpoint: Endpoint, onListening: @escaping @Sendable (Endpoint) -> Void
    ) async throws -> Running {
        let (addresses, address) = AsyncStream<Endpoint>.makeStream()
        let task = Task {
            defer { address.finish() }
            try await server.run { address.yield($0) }
        }
        guard let listening = await addresses.first(where: { _ in true }) else {
            try await task.value
            throw CancellationError()
        }
        Task { [failure] in
            if case .failure(let error) = await task.result { failure.yield(error) }
        }
        onListening(listening)
        return Running(endpoint: endpoint, server: server, task: task)
    }
}
