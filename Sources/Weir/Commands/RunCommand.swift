import ArgumentParser

/// `weir run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Checks the configuration and serves until SIGTERM.")

    @OptionGroup var option: ConfigurationOption

    @Flag(help: "Makes files of key encryption keys that are missing. Not for production: nobody keeps them.")
    var dev = false

    func run() async throws {
        do {
            let option = option
            let checked = option.check()
            // A team's file that is wrong keeps that team's pipelines from running, and nobody else's.
            guard let configuration = checked.startable else { throw ExitCode.failure }
            if dev { try makeKeys(configuration) }
            try await Service.run(
                configuration, file: option.file, checked.sources, without: checked.diagnostics.lines(of: .error)
            ) { option.checkAgain() }
        } catch is Service.Failed {
            throw ExitCode.failure
        }
    }

    private func makeKeys(_ configuration: CollectorConfiguration) throws {
        for definition in configuration.extensions {
            guard let keystore = definition.configuration as? KeystoreConfiguration,
                case .file(let path) = keystore.source, !Directory.has(path)
            else { continue }
            let id = try keystore.source.add()
            StandardError.note(
                """
                WARNING: --dev made the key encryption key \(id) in \(path), beside what it is to protect.
                WARNING: whoever reads that file reads everything that is encrypted. Do not run so in production.
                """)
        }
    }
}
