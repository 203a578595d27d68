import ArgumentParser

/// `weir import-config`
struct ImportConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-config",
        abstract: "Prints an OpenTelemetry Collector's configuration as Weir's, and what of it does not map.")

    @Argument(help: "The OpenTelemetry Collector's file.")
    var file: String

    func run() throws {
        let imported = try Self.read(file)
        try StandardOutput.write(imported.yaml())
        if imported.isIncomplete { throw ExitCode.failure }
    }

    /// Reads the file, and prints what does not map to standard error.
    static func read(_ file: String) throws -> CollectorImport {
        let text: String
        do throws(ConfigError) {
            text = try ConfigFile.text(of: file, orPipe: true)
        } catch {
            throw ValidationError("\(file) \(error.message)")
        }
        let imported = CollectorImport(text, file: file, catalogue: Registry.catalogue)
        for line in imported.diagnostics.lines { StandardError.note(line) }
        return imported
    }
}
