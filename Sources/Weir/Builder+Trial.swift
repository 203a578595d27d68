import Logging

extension Builder {
    /// For one who tries components out, and neither serves nor keeps anything.
    /// - Parameter directory: an empty one, for the keys of the occasion. Those of the configuration are secrets that
    ///   whoever tries need not have, and are left alone.
    static func trial(_ configuration: CollectorConfiguration, keysIn directory: String) async throws -> Builder {
        let sink = LogSink(.logfmt)
        let logger = Logger(label: "weir") { LineLogHandler(label: $0, level: .warning, sink: sink) }
        let keys = KeySource.file("\(directory)/kek")
        _ = try keys.add()
        let trial = configuration.with(
            processors: try configuration.processors.map { definition in
                guard let redaction = definition.configuration as? RedactionConfiguration else { return definition }
                return ComponentDefinition(
                    id: definition.id, configuration: try redaction.onTrial(), fingerprint: definition.fingerprint,
                    extensions: definition.extensions)
            },
            extensions: configuration.extensions.map { definition in
                guard definition.configuration is KeystoreConfiguration else { return definition }
                return ComponentDefinition(
                    id: definition.id, configuration: KeystoreConfiguration(keys, path: "\(directory)/keys.db"),
                    fingerprint: definition.fingerprint, extensions: definition.extensions)
            })
        var builder = Builder(
            trial, logger, MetricRegistry(), JournalDisks(), Bursts(), KeepDecisionBoard(),
            Tombstones(configuration.service.erasure.directory, serves: false))
        try builder.makeExtensions()
        for shared in builder.extensions.all where shared is KeystoreExtension { try await shared.start() }
        return builder
    }
}
