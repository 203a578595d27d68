import Logging

enum DebugVerbosity: String, CaseIterable, Sendable {
    /// One log line per batch, with counts.
    case basic
    /// One line per span on standard output.
    case normal
    /// Everything that a span holds, over several lines on standard output.
    case detailed
}

/// The keys of `debug`.
struct DebugConfiguration: Configurable {
    let verbosity: DebugVerbosity
    /// `max_value_length` and `max_items`.
    let limits: DebugText.Limits

    init(_ fields: inout Fields) throws(ConfigError) {
        verbosity = fields.choice(
            "verbosity", default: .basic,
            "basic: counts of each batch in the log; normal: a line per span; detailed: all of it.")
        let length = fields.bytes(
            "max_value_length", default: .kibibytes(4), in: ByteCount(16)...(.mebibytes(1)),
            "Of a longer value the rest is cut off, and how much that was is said.")
        let items = fields.int(
            "max_items", default: 256, in: 1...100_000,
            "Attributes, events or links that are shown of one owner; how many more there are is said.")
        limits = DebugText.Limits(valueLength: length.bytes, items: items)
    }
}

/// Shows what passes through a pipeline, for a person who looks.
struct DebugExporter: Exporter {
    static let type = "debug"
    static let help = "Shows what passes: counts in the log, or spans on standard output."

    private let verbosity: DebugVerbosity
    private let logger: Logger
    private let printer: DebugPrinter

    init(_ configuration: DebugConfiguration, _ context: Context) {
        self.init(configuration, context, output: StandardOutput.write)
    }

    /// - Parameter output: gets whole lines.
    init(_ configuration: DebugConfiguration, _ context: Context, output: @escaping DebugPrinter.Output) {
        verbosity = configuration.verbosity
        logger = context.logger
        printer = DebugPrinter(
            isDetailed: verbosity == .detailed, limits: configuration.limits, label: "weir.\(context.id)",
            output: output)
    }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        guard verbosity == .basic else { return try await printer.print(batch) }
        logger.info(
            "batch",
            metadata: [
                "records": "\(batch.records.count)", "spans": "\(batch.spanCount)", "bytes": "\(batch.byteCount)",
            ])
    }
}
