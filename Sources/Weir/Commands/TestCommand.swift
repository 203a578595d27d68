import ArgumentParser
import Foundation

/// `weir test`
struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Prints what comes out of every processor of a pipeline file, for a request in OTLP/JSON.",
        discussion: "Nothing is received, kept or sent. A tail_sampling takes the traces as whole, and says what it "
            + "decides; nobody waits for it. For tests that a team writes of its own pipelines.")

    @OptionGroup var option: ConfigurationOption

    @Argument(help: ArgumentHelp("A file of service.pipelines_directory, or that of --config.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("A request in OTLP/JSON.", valueName: "file"))
    var input: String

    @Option(help: "Whose spans these are.")
    var tenant = Batch.anybody

    func run() async throws {
        let checked = option.check()
        // Another team's mistake is not in the way.
        guard let configuration = checked.configuration ?? checked.partial else { throw ExitCode.failure }
        // The most that a receiver takes.
        let data = try FileReader.contents(of: input, limit: ByteCount.mebibytes(64).bytes)
        let pipelines = try select(from: configuration)
        let keys = FileManager.default.temporaryDirectory.appendingPathComponent("weir-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: keys) }
        let builder = try await Builder.trial(configuration, keysIn: keys.path)
        for pipeline in pipelines {
            try StandardOutput.write("# \(pipeline.id)\n")
            try run(pipeline, of: builder, data)
        }
    }

    /// The pipelines of the file.
    private func select(from configuration: CollectorConfiguration) throws -> [PipelineConfiguration] {
        let isMain = Self.place(of: file) == Self.place(of: option.file)
        let files = configuration.service.pipelinesDirectory.flatMap { try? PipelineFile.names(in: $0) } ?? []
        // Not by its name alone: a file of another directory has other pipelines.
        let name = files.first { Self.place(of: $0.path) == Self.place(of: file) }?.name
        guard isMain || !configuration.files.broken.contains(where: { $0 == name }) else { throw ExitCode.failure }
        let found = configuration.service.pipelines.filter { pipeline in
            isMain ? pipeline.id.file == nil : name.map { pipeline.id.file == $0[...] } ?? false
        }
        guard !found.isEmpty else {
            let known = files.map(\.path).joined(separator: ", ")
            let wanted = known.isEmpty ? "another --config, with service.pipelines_directory" : "one of \(known)"
            throw ValidationError("found no pipelines of \(file) in \(option.file), wanted \(wanted)")
        }
        return found
    }

    /// The same of every path to a file.
    private static func place(of path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    private func run(_ pipeline: PipelineConfiguration, of builder: Builder, _ data: [UInt8]) throws {
        var batch = Batch()
        var encoder = OTLPJSONEncoder()
        do throws(DecodeError) {
            try OTLPJSONDecoder().decode(data.withUnsafeBytes { Payload.copying($0) }, into: &batch)
        } catch {
            throw ValidationError("\(input): \(error.reason), wanted an export request in OTLP/JSON")
        }
        batch.tenant = tenant
        batch.receivedAt = .now()
        try Self.show("received", batch, &encoder)
        if let tenants = pipeline.tenants, !tenants.contains(tenant) {
            return try StandardOutput.write("# does not take spans of \(tenant)\n")
        }
        let stage = pipeline.stage ?? pipeline.processors.count
        try Self.run(pipeline.processors[..<stage], of: pipeline, builder, &batch, &encoder)
        guard stage < pipeline.processors.count else { return }
        let id = pipeline.processors[stage]
        let definition = builder.configuration.processors.first { $0.id == id }
        guard let sampling = definition?.configuration as? TailSamplingConfiguration else { return }
        for trace in try TailSamplingTrial(sampling).process(&batch) {
            let text =
                "# \(id), trace \(trace.decision.trace.text): \(trace.cause.rawValue) after \(trace.after.text), "
                + "\(trace.spans.of("span")) \(trace.decision.outcome)\n"
            try StandardOutput.write(text)
        }
        try Self.show("after \(id)", batch, &encoder)
        try Self.run(pipeline.processors[(stage + 1)...], of: pipeline, builder, &batch, &encoder)
    }

    /// The processors in front of a stage, or behind it.
    private static func run(
        _ ids: ArraySlice<ComponentID>, of pipeline: PipelineConfiguration, _ builder: Builder, _ batch: inout Batch,
        _ encoder: inout OTLPJSONEncoder
    ) throws {
        for (id, processor) in zip(ids, try builder.processors(ids, of: pipeline.id)) {
            var processor: any Processor = processor
            do throws(Refusal) {
                try processor.process(&batch)
            } catch {
                throw CommandFailure("\(id) refuses the request: \(error.reason)")
            }
            try show("after \(id)", batch, &encoder)
        }
    }

    private static func show(
        _ title: String, _ batch: borrowing Batch, _ encoder: inout OTLPJSONEncoder
    ) throws {
        try StandardOutput.write("# \(title): \(batch.spanCount.of("span"))\n")
        if batch.spanCount > 0 { try StandardOutput.write(Array(encoder.bytes(of: batch)) + [0x0A]) }
    }
}

extension Refusal {
    fileprivate var reason: String {
        switch self {
        case .overloaded(let reason, _), .overQuota(let reason, _), .tooLarge(let reason): reason
        case .stopping: "it is stopping"
        }
    }
}

extension DecodeError {
    fileprivate var reason: String {
        switch self {
        case .malformed(let what, let offset): "\(what), at byte \(offset)"
        case .tooLarge: "it decodes to too much"
        }
    }
}
