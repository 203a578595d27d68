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
    private let id: ComponentID
    private let logger: Logger
    private let ready: Gauge
    /// Why it could not be asked last.
    private let problem = Mutex<KeyError?>(nil)
    private let refreshing = Mutex<Task<Void, Never>?>(nil)

    init(_ configuration: Configuration, _ context: Context) {
        let ring = configuration.makeKeyring()
        self.ring = ring
        id = context.id
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
        let first = await ring.open(at: .now())
        note(first, after: nil)
        let task = Task { [ring] in
            var last = first
            var lastStale: KeyError?
            while (try? await Task.sleep(for: Self.interval)) != nil {
                var problem: KeyError?
                do throws(KeyError) { try await ring.refresh(at: .now()) } catch { problem = error }
                note(problem, after: last)
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
        await ring.store.finish()
    }

    var complaints: [String] {
        let problem = problem.withLock { $0 } ?? ring.problem
        var complaints = problem.map { ["\(id): cannot encrypt: \($0)"] } ?? []
        if let stale = ring.stale {
            complaints.append("\(id): key encryption keys are those from before, since they cannot be read: \(stale)")
        }
        complaints += ring.missing.map { key in
            "\(id): data keys are wrapped with \(key), which is no key encryption key here"
        }
        return complaints
    }

    private func note(_ problem: KeyError?, after last: KeyError?) {
        ready.set(problem ?? ring.problem == nil ? 1 : 0)
        self.problem.withLock { $0 = problem }
        guard problem != last else { return }
        if let problem {
            logger.error("cannot encrypt", metadata: ["error": "\(problem)"])
        } else {
            logger.info("can encrypt again")
        }
    }
}
