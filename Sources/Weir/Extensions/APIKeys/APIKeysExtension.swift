import Logging
import Synchronization

/// Knows clients by keys, of which a file holds the hashes. A changed file is taken without a restart.
final class APIKeysExtension: Authenticator {
    static let type = "api_keys"
    static let help = "Knows clients by keys, whose hashes, tenants and scopes stand in a file."

    struct Configuration: Configurable {
        let path: String
        let keys: [APIKey]
        let checkInterval: Duration

        var clientTenants: Set<String>? { keys.isEmpty ? nil : Set(keys.map(\.identity.tenant)) }

        init(_ fields: inout Fields) throws(ConfigError) {
            path = fields.string("file", default: "keys.yaml", "The file of hashed keys.")
            keys = fields.contents(of: path, "file", APIKeyFile.init)?.keys ?? []
            checkInterval = fields.duration(
                "check_interval", default: .seconds(1), in: .milliseconds(10)...(.seconds(3600)),
                "How often the file is looked at; when it has changed, it is read again.")
        }
    }

    private let path: String
    private let checkInterval: Duration
    private let table: Mutex<APIKeyTable>
    private let count: Gauge
    private let failures: Counter
    private let logger: Logger
    private let id: ComponentID
    /// What is wrong with the file as it is now, a line each.
    private let problems = Mutex<[String]>([])
    private let watching = Mutex<Task<Void, Never>?>(nil)

    init(_ configuration: Configuration, _ context: Context) {
        path = configuration.path
        checkInterval = configuration.checkInterval
        table = Mutex(APIKeyTable(configuration.keys))
        logger = context.logger
        id = context.id
        let labels = ["extension": context.id.description]
        count = context.metrics.gauge("weir_api_keys", help: "Keys that are known.", labels: labels)
        count.set(configuration.keys.count)
        failures = context.metrics.counter(
            "weir_api_keys_reload_failures", help: "Times that the changed file of keys could not be used.",
            labels: labels)
    }

    func identify(_ credentials: Credentials) -> Identity? {
        let table = table.withLock { $0 }
        guard credentials.key.isEmpty, let certificate = credentials.certificate else {
            return table.identity(of: credentials.key)
        }
        return table.identity(of: certificate)
    }

    func start() async {
        let watch = Task { [path, checkInterval] in
            // What changed since the configuration was read is seen at the first look.
            var seen: FileStamp?
            while (try? await Task.sleep(for: checkInterval)) != nil {
                let stamp = FileStamp(of: path)
                if stamp != seen { read() }
                seen = stamp
            }
        }
        watching.withLock { $0 = watch }
    }

    func finish() {
        watching.withLock { $0 }?.cancel()
    }

    var complaints: [String] {
        problems.withLock { $0 }.map { "\(id): keys are those from before: \($0)" }
    }

    /// Takes what the file says now; where something is wrong with it, the keys stay as they were.
    private func read() {
        let found: [String]
        do {
            let (file, diagnostics, _) = try Fields.read(file: path, APIKeyFile.init)
            if let file, !diagnostics.hasErrors {
                table.withLock { $0 = APIKeyTable(file.keys) }
                count.set(file.keys.count)
                problems.withLock { $0 = [] }
                return logger.info("keys read", metadata: ["file": "\(path)", "keys": "\(file.keys.count)"])
            }
            found = diagnostics.lines(of: .error)
        } catch {
            found = ["\(path) \(error.message)"]
        }
        failures.add()
        problems.withLock { $0 = found }
        logger.error(
            "keys stay as they were", metadata: ["problems": "\(found.count)", "first": "\(found.first ?? "")"])
    }
}
