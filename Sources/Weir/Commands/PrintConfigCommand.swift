import ArgumentParser

/// `weir print-config`
struct PrintConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print-config",
        abstract: "Prints the configuration with all defaults filled in and secrets hidden.")

    @OptionGroup var option: ConfigurationOption

    func run() throws {
        try StandardOutput.write(EffectiveConfiguration(fields: option.read().fields).yaml())
    }
}
