import ArgumentParser

/// `15m` on the command line.
enum DurationOption {
    static func read(_ text: String) throws -> Duration {
        guard let duration = Duration(parsing: text), duration > .zero else {
            throw ValidationError("found \(text.quotedForMessage), wanted a duration such as 15m or 1h30m")
        }
        return duration
    }
}
