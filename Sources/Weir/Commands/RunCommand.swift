import ArgumentParser

/// `weir run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Checks the configuration and serves until SIGTERM.")

    @OptionGroup var option: ConfigurationOption

    func run() async throws {
        do {
            let option = option
            let (configuration, _, sources) = try option.read()
            try await Service.run(configuration, file: option.file, sources) { option.checkAgain() }
        } catch is Service.Failed {
            throw ExitCode.failure
        }
    }
}
