import Logging
import Synchronization

/// Has the data keys of everything that is encrypted.
final class KeystoreExtension: Extension {
    typealias Configuration = KeystoreConfiguration

    static let type = "keystore"
    static let help = "Has the data keys for encryption, wrapped with key encryption keys."
    static let role = ExtensionRole.keystore

    private static let interval = Duration.seconds(1)

    let ring: Keyring
    private let logger: Logger
    private let ready: Gauge
    private let refreshing = Mutex<Task<Void, Never>?>(nil)

    init(_ configuration: Configuration, _ context: Context) {
        let ring = configuration.makeKeyring()
        self.ring = ring
        logger = context.logger
        let labels = ["extension": context.id.description]
        ready = context.metrics.gauge("weir_keystore_ready", help: "1 where it can encrypt.", labels: labels)
        context.metrics.observe(
            "weir_keystore_data_keys_made", kind: .counter, help: "Data keys that this process made.", labels: labels
        ) { Double(ring.made) }
    }

    /// Where something is missing Weir serves nevertheless: what is there can be delivered and read, and what would
    /// have to be encrypted is refused.
    func start() async {
        CoreDumps.forbid()
        note(await ring.open(at: .now()), after: nil)
        let task = Task { [ring] in
            var last = ring.problem
            var lastStale: KeyError?
            while (try? await Task.sleep(for: Self.interval)) != nil {
                var problem: KeyError?
                do throws(KeyError) { try await ring.refresh(at: .now()) } catch { problem = error }
                if problem != last { note(problem, after: last) }
                last = problem
                let stale = ring.stale
                if let stale, stale != lastStale {
                    // Who goes on and takes the old key away would lose what is encrypted from here on.
                    logger.error(
                        "cannot read the key encryption keys again: those that are known still wrap",
                        metadata: ["error": "\(stale)"])
                }
                lastStale = stale
            }
        }
        refreshing.withLock { $0 = task }
    }

    func finish() async {
        refreshing.withLock { $0 }?.cancel()
        await ring.store.close()
    }

    private func note(_ problem: KeyError?, after last: KeyError?) {
        ready.set(ring.problem == nil ? 1 : 0)
        if let problem {
            logger.error("cannot encrypt", metadata: ["error": "\(problem)"])
        } else if last != nil {
            logger.info("can encrypt again")
        }
    }
}
