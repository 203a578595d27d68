/// Why one value of the configuration was not taken. Whoever reads the value adds file, line and key path.
struct ConfigError: Error, Equatable {
    /// What was found and what was wanted, lower case, without a full stop.
    let message: String

    init(_ message: String) {
        self.message = message
    }

    init(found: String, wanted: String) {
        self.init("found \(found), wanted \(wanted)")
    }
}
