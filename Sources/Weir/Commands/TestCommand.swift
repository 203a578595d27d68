import ArgumentParser
import Foundation

/// `weir test`
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Prints what comes out of every processor of a pipeline file, for a request in OTLP/JSON.",
        discussion: "Nothing is received, kept or sent. For tests that a team writes of its own pipelines.")

    @OptionGroup var option: ConfigurationOption

    @Argument(help: ArgumentHelp("A file of service.pipelines_directory, or that of --config.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("A request in OTLP/JSON.", valueName: "file"))
    var input: String

    @Option(help: "Whose spans these are.")
    var tenant = Batch.anybody

    func run() throws {
        let configuration = try option.read().configuration
        let data = try Data(contentsOf: URL(fileURLWithPath: input))
        let pipelines = try select(from: configuration)
        let builder = try Builder.trial(configuration)
        for pipeline in pipelines {
            try StandardOutput.write(Array("# \(pipeline.id)\n".utf8))
            try run(pipeline, of: builder, data)
        }
    }

    /// The pipelines of the file.
    private func select(from configuration: CollectorConfiguration) throws -> [PipelineConfiguration] {
        let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        let isMain = file == option.file
        let found = configuration.service.pipelines.filter { isMain ? $0.id.file == nil : $0.id.file == name[...] }
        guard !found.isEmpty else {
            let known = configuration.files.files.map(\.name).joined(separator: ", ")
            throw ValidationError("found no pipelines of \(name), wanted \(option.file), or a file of: \(known)")
        }
        return found
    }

    private func run(_ pipeline: PipelineConfiguration, of builder: Builder, _ data: Data) throws {
        var batch = Batch()
        var encoder = OTLPJSONEncoder()
        try OTLPJSONDecoder().decode(data.withUnsafeBytes { Payload.copying($0) }, into: &batch)
        batch.tenant = tenant
        batch.receivedAt = .now()
        try Self.show("received", batch, &encoder)
        if let tenants = pipeline.tenants, !tenants.contains(tenant) {
            return try StandardOutput.write(Array("# does not take spans of \(tenant)\n".utf8))
        }
        for (id, processor) in zip(pipeline.processors, try builder.processors(of: pipeline)) {
            var processor: any Processor = processor
            try processor.process(&batch)
            try Self.show("after \(id)", batch, &encoder)
        }
    }

    private static func show(
        _ title: String, _ batch: borrowing Batch, _ encoder: inout OTLPJSONEncoder
    ) throws {
        try StandardOutput.write(Array("# \(title): \(batch.spanCount) spans\n".utf8))
        if batch.spanCount > 0 { try StandardOutput.write(Array(encoder.bytes(of: batch)) + [0x0A]) }
    }
}
