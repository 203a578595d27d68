import ArgumentParser

/// `weir registry check`
struct RegistryCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prints every problem of a registry of events; exits 1 if there is one.")

    @Argument(help: ArgumentHelp("The registry, such as telemetry/metrics.yml.", valueName: "file")) var file: String

    func run() throws {
        let registry: EventRegistry?
        let diagnostics: Diagnostics
        do throws(ConfigError) {
            (registry, diagnostics, _) = try Fields.read(file: file, EventRegistry.init)
        } catch {
            throw ValidationError("\(file) \(error.message)")
        }
        for line in diagnostics.lines { StandardError.note(line) }
        try StandardOutput.write("\(file): \(diagnostics.summary)\n")
        guard let registry, !diagnostics.hasErrors else { throw ExitCode.failure }
        var table = TextTable([
            TextTable.Column(title: "event"), TextTable.Column(title: "owner"),
            TextTable.Column(title: "version", isNumber: true), TextTable.Column(title: "sampling", isNumber: true),
            TextTable.Column(title: "payload", isFlexible: true),
        ])
        for event in registry.events {
            let payload = event.payload.map { $0.name + ($0.isRequired ? "" : "?") }.joined(separator: " ")
            table.add([event.name, event.owner, "\(event.version)", "\(event.sampling)", payload])
        }
        try StandardOutput.write(table.text)
    }
}
