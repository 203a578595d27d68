import ArgumentParser

/// `weir run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Checks the configuration and serves until SIGTERM.")

    @OptionGroup var option: ConfigurationOption

    func run() async throws {
        do {
            let option = option
            try await Service.run(option.read().configuration, files: [option.file]) { option.checkAgain() }
        } catch is Service.Failed {
            throw ExitCode.failure
        }
    }
}
