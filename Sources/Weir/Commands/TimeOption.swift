import ArgumentParser

/// `2026-02-03T04:05:06Z` on the command line.
enum TimeOption {
    static func read(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(parsing: text) else {
            throw ValidationError(
                "found \(text.quotedForMessage), wanted a time such as 2026-02-03T04:05:06Z or 2026-02-03")
        }
        return time
    }
}
