import ArgumentParser

/// `weir run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Checks the configuration and serves until SIGTERM.")

    @OptionGroup var option: ConfigurationOption

    func run() async throws {
        do {
            let option = option
            let checked = option.check()
            // A team's file that is wrong keeps that team's pipelines from running, and nobody else's.
            guard let configuration = checked.startable else { throw ExitCode.failure }
            try await Service.run(
                configuration, file: option.file, checked.sources, without: checked.diagnostics.lines(of: .error)
            ) { option.checkAgain() }
        } catch is Service.Failed {
            throw ExitCode.failure
        }
    }
}
