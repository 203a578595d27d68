import Foundation

@testable import Weir

/// A file of keys, and the extension that reads it.
final class APIKeysSample {
    let temporary: TemporaryDirectory
    let log = LogCapture()
    let metrics = MetricRegistry()
    let keys: APIKeysExtension
    /// Of the tenant `shop`, for ingest.
    let secret = APIKey.draw()

    var path: String { temporary.path + "/keys.yaml" }

    init() throws {
        temporary = try TemporaryDirectory()
        let path = temporary.path + "/keys.yaml"
        try Self.entry("shop", [.ingest], of: secret).write(toFile: path, atomically: true, encoding: .utf8)
        var fields = Fields(
            ["file": path, "check_interval": "10ms"].map { key, text in
                let text = ConfigText(text: text, isQuoted: true, isExpanded: false)
                return ConfigNode.Entry(key: key, value: ConfigNode(line: 1, content: .scalar(text)))
            }, file: "f")
        let configuration = try APIKeysExtension.Configuration(&fields)
        keys = APIKeysExtension(
            configuration,
            Context(id: ComponentID(type: "api_keys"), logger: log.logger, metrics: metrics))
    }

    static func entry(_ tenant: String, _ scopes: [Scope], of key: String) throws -> String {
        let scopes = scopes.flatMap { ["--scope", $0.rawValue] }
        return try (APIKeyNewCommand.parse(["--tenant", tenant] + scopes)).entry(of: key)
    }

    func write(_ text: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    func tenant(of key: String) -> String? {
        keys.identify(Credentials(key: key))?.tenant
    }

    /// Keys of one listener that asks this extension.
    func authentication() -> HTTPAuthentication {
        HTTPAuthentication(keys, Context(id: ComponentID(type: "otlp"), logger: log.logger, metrics: metrics))
    }
}
