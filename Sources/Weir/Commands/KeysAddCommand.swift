import ArgumentParser

/// `weir keys add`
struct KeysAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Draws a key encryption key and writes it in front of those in the file; makes the file if need be.")

    @OptionGroup var options: KeysOptions

    func run() async throws {
        let ring = try options.ring()
        let id = try options.settings().source.add()
        try await KeysOptions.audit(ring, "add", "key encryption key \(id)")
        try StandardOutput.write("key encryption key \(id) is the primary one now\n")
    }
}
