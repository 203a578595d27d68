import ArgumentParser

/// The collector as a program.
public enum Program {
    static let version = "0.1.0"

    /// Does what the command line says, and exits.
    public static func main() async {
        let command: any ParsableCommand
        do { command = try WeirCommand.parseAsRoot() } catch { WeirCommand.exit(withError: error) }
        do {
            var running = command
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try running.run()
            }
        } catch let error as ValidationError {
            // The library knows by now of the root only, and would print its usage.
            StoreOptions.note("Error: \(error.message)\nSee '\(name(of: type(of: command))) --help'.")
            WeirCommand.exit(withError: ExitCode.validationFailure)
        } catch {
            WeirCommand.exit(withError: error)
        }
    }

    /// `weir query search`
    static func name(
        of command: any ParsableCommand.Type, below outer: any ParsableCommand.Type = WeirCommand.self
    ) -> String {
        let name = outer.configuration.commandName ?? ""
        if outer == command { return name }
        let inner = outer.configuration.subcommands.lazy.map { Self.name(of: command, below: $0) }.first { !$0.isEmpty }
        return inner.map { "\(name) \($0)" } ?? ""
    }
}
