import ArgumentParser
import Foundation

/// `--config FILE`, as every command that reads a configuration has it.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file = "collector.yaml"

    /// Reads the file, and prints every diagnostic to standard error.
    func check() -> CheckedConfiguration {
        let checked = checkAgain()
        show(checked.diagnostics)
        return checked
    }

    func show(_ diagnostics: Diagnostics) {
        for line in diagnostics.lines { StandardError.note(line) }
    }

    /// Reads the file in silence: whoever runs already has a log.
    func checkAgain() -> CheckedConfiguration {
        CheckedConfiguration(
            file: file, environment: ProcessInfo.processInfo.environment, catalogue: Registry.catalogue)
    }

    /// The same; where a diagnostic is an error, the command ends with status 1.
    func read() throws -> (
        configuration: CollectorConfiguration, fields: [FieldDescription], sources: ConfigSources
    ) {
        let checked = check()
        guard let configuration = checked.configuration else { throw ExitCode.failure }
        return (configuration, checked.fields, checked.sources)
    }

    /// The same for a command that writes to what Weir keeps.
    func readToWrite() throws -> CollectorConfiguration {
        let configuration = try read().configuration
        try ForeignOwner.refuse(configuration.places + [configuration.service.erasure.directory])
        return configuration
    }

    /// The same for one that says that something is done everywhere: not where there is nothing, as in another
    /// directory than the one that Weir runs in.
    func readToWriteEverywhere() throws -> CollectorConfiguration {
        let configuration = try readToWrite()
        try refuseWithout(configuration.places)
        return configuration
    }

    /// The same for one that only says what was done, which it may where there is nothing but the register of that.
    func readEverywhere() throws -> CollectorConfiguration {
        let configuration = try read().configuration
        try refuseWithout(configuration.places + [configuration.service.erasure.directory])
        return configuration
    }

    private func refuseWithout(_ places: [String]) throws {
        guard try !places.contains(where: { try Directory.isThere($0) }) else { return }
        throw CommandFailure(
            "found nothing of what Weir keeps, none of \(places.joined(separator: ", ")); "
                + "wanted to be run in the directory that Weir runs in")
    }
}
