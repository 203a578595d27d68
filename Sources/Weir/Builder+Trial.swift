import Logging

extension Builder {
    /// For one who tries components out, and neither serves nor keeps anything.
    static func trial(_ configuration: CollectorConfiguration) throws -> Builder {
        let sink = LogSink(.logfmt)
        let logger = Logger(label: "weir") { LineLogHandler(label: $0, level: .warning, sink: sink) }
        var builder = Builder(
            configuration, logger, MetricRegistry(), JournalDisks(), Bursts(), KeepDecisionBoard(),
            Tombstones(configuration.service.erasure.directory, serves: false))
        try builder.makeExtensions()
        return builder
    }
}
