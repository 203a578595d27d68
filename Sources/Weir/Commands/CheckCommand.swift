import ArgumentParser

/// `weir check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prints every problem of the configuration; exits 1 if one is an error.")

    @OptionGroup var option: ConfigurationOption

    func run() throws {
        let checked = option.check()
        print("\(option.file): \(checked.diagnostics.summary)")
        guard !checked.diagnostics.hasErrors else { throw ExitCode.failure }
    }
}
