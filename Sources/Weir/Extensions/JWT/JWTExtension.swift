import Logging
import Synchronization

/// Knows clients by JSON Web Tokens that another service has signed. Keys change without a restart.
final class JWTExtension: Authenticator {
    typealias Configuration = JWTConfiguration

    static let type = "jwt"
    static let help = "Knows clients by JSON Web Tokens, signed with RS256, ES256 or HS256."

    /// An unknown key has the URL asked again, but no more often than this.
    private static let minimumPause = Duration.seconds(10)
    private static let fetchTimeout = Duration.seconds(10)
    private static let maximumSet = 1 << 20
    /// Ids of keys that are remembered as unknown, at least.
    private static let unknownKeys = 1_000

    private struct Locked {
        /// New ids of unknown keys between two readings whose clients are told to come again. Whoever makes ids up gets
        /// no more of that.
        static let maximumDoubts = 100

        var keys: JSONWebKeys
        /// How often the keys have changed.
        var generation = 0
        /// By the SHA-256 of a token.
        var good: RecentValues<[UInt8], JWTPolicy.Verified>
        var wantsKeys = false
        /// How often the keys were read, the time included that is not over, and how many of those times are.
        var begun = 0
        var ended = 0
        /// By its id, how often the keys were read when an unknown one was named first.
        var unknown = RecentValues<[UInt8], Int>(limit: unknownKeys)
        /// Ids that were named first since the keys were last read.
        var doubts = 0

        /// Notes that a token names an unknown key.
        /// - Returns: whether its URL has yet to be asked for that one: who signs tokens may just have begun to use it.
        mutating func awaits(_ id: [UInt8]) -> Bool {
            wantsKeys = true
            if let first = unknown.find(name: id) { return ended <= first }
            guard doubts < Self.maximumDoubts, id.count <= RecentValues<[UInt8], Int>.maxName else { return false }
            doubts += 1
            unknown.keep(begun, forName: id)
            return true
        }
    }

    private let policy: JWTPolicy
    private let source: JWTConfiguration.Source
    private let checkInterval: Duration
    private let cachedTokens: Int
    private let client: HTTPClient?
    private let locked: Mutex<Locked>
    private let refusals: [JWTPolicy.Problem: Counter]
    private let failures: Counter
    private let count: Gauge
    private let logger: Logger
    private let watching = Mutex<Task<Void, Never>?>(nil)

    init(_ configuration: Configuration, _ context: Context) throws {
        policy = configuration.policy
        source = configuration.source
        checkInterval = configuration.checkInterval
        cachedTokens = configuration.cachedTokens
        locked = Mutex(
            Locked(keys: configuration.keys, good: RecentValues(limit: configuration.cachedTokens)))
        var client: HTTPClient?
        if case .url(_, let tls) = configuration.source { client = try HTTPClient(tls: tls) }
        self.client = client
        logger = context.logger
        let labels = ["extension": context.id.description]
        refusals = Dictionary(
            uniqueKeysWithValues: JWTPolicy.Problem.allCases.map { problem in
                let labels = labels.merging(["reason": problem.rawValue]) { $1 }
                return (
                    problem,
                    context.metrics.counter(
                        "weir_jwt_refusals", help: "Tokens not believed, by reason.", labels: labels)
                )
            })
        failures = context.metrics.counter(
            "weir_jwt_reload_failures", help: "Times that the keys of tokens could not be read.", labels: labels)
        count = context.metrics.gauge("weir_jwt_keys", help: "Keys that tokens may be signed with.", labels: labels)
        count.set(configuration.keys.entries.count)
    }

    func identify(_ credentials: Credentials) throws(NotReady) -> Identity? {
        let now = Timestamp.now()
        let digest = Digest.sha256(Array(credentials.key.utf8))
        let (keys, generation, known) = locked.withLock { ($0.keys, $0.generation, $0.good.find(digest)) }
        if let known, !policy.isOver(known.expires, at: now) { return known.identity }
        do throws(JWTPolicy.Problem) {
            let verified = try policy.verify(credentials.key, keys, at: now)
            locked.withLock { locked in
                // The key that has signed it may be gone meanwhile.
                if locked.generation == generation { locked.good.keep(verified, for: digest) }
            }
            return verified.identity
        } catch {
            refusals[error]?.add()
            logger.debug("refused a token", metadata: ["reason": "\(error.rawValue)"])
            guard error == .unknownKey else { return nil }
            let id = Array((JSONWebToken(credentials.key)?.keyID ?? "").utf8)
            let mayBeKnownSoon = locked.withLock { locked in
                locked.keys.entries.isEmpty || client != nil && locked.awaits(id)
            }
            guard !mayBeKnownSoon else { throw NotReady() }
            return nil
        }
    }

    func start() async {
        if case .url = source { await read() }
        let watch = Task {
            switch source {
            case .file(let path): await watchFile(path)
            case .url: await watchURL()
            }
        }
        watching.withLock { $0 = watch }
    }

    func finish() async {
        watching.withLock { $0 }?.cancel()
        await client?.shutDown()
    }

    private func watchFile(_ path: String) async {
        // What changed since the configuration was read is seen at the first look.
        var seen: FileStamp?
        while (try? await Task.sleep(for: checkInterval)) != nil {
            let stamp = FileStamp(of: path)
            if stamp != seen { await read() }
            seen = stamp
        }
    }

    private func watchURL() async {
        let look = min(checkInterval, Self.minimumPause)
        var waited = Duration.zero
        while (try? await Task.sleep(for: look)) != nil {
            waited += look
            let isWanted = locked.withLock { locked in
                defer { locked.wantsKeys = false }
                return locked.wantsKeys || locked.keys.entries.isEmpty
            }
            guard isWanted || waited >= checkInterval else { continue }
            waited = .zero
            await read()
        }
    }

    /// Takes the keys as they are now; where something is wrong with them, they stay as they were.
    private func read() async {
        let number = locked.withLock { locked in
            locked.begun += 1
            locked.doubts = 0
            return locked.begun
        }
        defer { locked.withLock { $0.ended = number } }
        do throws(ConfigError) {
            let (text, place) = try await fetch()
            let keys: JSONWebKeys
            do throws(ConfigError) {
                keys = try JSONWebKeys(parsing: text, allowsSecrets: client == nil)
            } catch {
                throw ConfigError("\(place): \(error.message)")
            }
            let omitted = locked.withLock { locked in
                // What was said of the keys before is not said again.
                let omitted = locked.keys.omitted == keys.omitted ? [] : keys.omitted
                locked.keys = keys
                locked.generation += 1
                // A token that a key has signed which is gone is good no longer.
                locked.good = RecentValues(limit: cachedTokens)
                return omitted
            }
            for reason in omitted {
                logger.warning("a key of tokens is left out", metadata: ["from": "\(place)", "reason": "\(reason)"])
            }
            count.set(keys.entries.count)
            logger.info("keys of tokens read", metadata: ["from": "\(place)", "keys": "\(keys.entries.count)"])
        } catch {
            failures.add()
            logger.error("keys of tokens stay as they were", metadata: ["reason": "\(error.message)"])
        }
    }

    private func fetch() async throws(ConfigError) -> (text: String, place: String) {
        switch source {
        case .file(let path): return (try ConfigFile.text(of: path), path)
        case .url(let url, _):
            guard let client else { throw ConfigError("\(url): there is no client") }
            let answer: HTTPAnswer
            do throws(HTTPFailure) {
                answer = try await client.get(
                    url, headers: [("accept", "application/json")], limit: Self.maximumSet, timeout: Self.fetchTimeout)
            } catch {
                throw ConfigError(error.description)
            }
            guard answer.status == 200 else { throw ConfigError("\(url) answered \(answer.status), wanted 200") }
            return (String(decoding: answer.body, as: UTF8.self), "\(url)")
        }
    }
}
