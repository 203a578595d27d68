import ArgumentParser
import Foundation

/// `weir redact`
struct RedactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Reads text, or a request in OTLP/JSON, and prints what the redaction processor makes of it.",
        discussion: """
            For writing rules. Text is taken line by line. Without --config, the defaults hold.
            What was found is told on the standard error stream, by detector and action; --explain shows where.
            """)

    @Option(help: ArgumentHelp("A configuration file whose redaction processor is to be used.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Which one, such as redaction/strict.", valueName: "id"))
    var processor: String?

    @Flag(help: "Prints only what changes, line by line or place by place, before and after, with the detectors.")
    var explain = false

    @Flag(
        help: """
            Reads lines of JSON with a member text; prints what detectors and rules find where: \
            [[start, end, \"LABEL\"], …] in bytes.
            """
    )
    var findings = false

    func run() throws {
        var session = try RedactionSession(settings())
        let input: Data
        do { input = try FileHandle.standardInput.readToEnd() ?? Data() } catch {
            throw CommandFailure("standard input cannot be read")
        }
        if findings {
            for line in input.split(separator: 0x0A) {
                let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
                let text = Array((object?["text"] as? String ?? "").utf8)
                try StandardOutput.write("[\(session.findings(in: text).joined(separator: ","))]\n")
            }
            return
        }
        let first = input.first { $0 > 0x20 }
        if first == UInt8(ascii: "{"), explain, let output = session.explain(request: input) {
            try StandardOutput.write(output)
        } else if first == UInt8(ascii: "{"), !explain, let output = session.redact(request: input) {
            try StandardOutput.write(output + [0x0A])
        } else {
            // The last line ends with a newline, and none follows it.
            let lines = input.last == 0x0A ? input.dropLast() : input
            for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) where !input.isEmpty {
                let (new, found) = session.redact(line: Array(line))
                if explain {
                    guard let new else { continue }
                    try StandardOutput.write(Array("- ".utf8) + line + Array("\n+ ".utf8) + new)
                    try StandardOutput.write("\n  \(found.joined(separator: ", "))\n")
                } else {
                    try StandardOutput.write((new ?? Array(line)) + [0x0A])
                }
            }
        }
        StandardError.write(Array(session.summary.utf8))
    }

    private func settings() throws -> RedactionConfiguration {
        guard let config else { return RedactionSession.standard() }
        let checked = try ConfigurationOption.parse(["--config", config]).read()
        let all = checked.configuration.processors.filter { $0.id.type == RedactionProcessor.type }
        let ids = all.map(\.id.description).joined(separator: ", ")
        guard let found = all.first(where: { processor == nil || $0.id.description == processor }),
            let settings = found.configuration as? RedactionConfiguration
        else { throw ValidationError("found no such processor, wanted one of \(ids)") }
        return try settings.onTrial()
    }
}
