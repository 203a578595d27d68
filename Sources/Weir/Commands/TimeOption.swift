import ArgumentParser
import Foundation

/// `2026-02-03T04:05:06Z` on the command line.
enum TimeOption {
    static func read(_ text: String) throws -> Timestamp {
        guard let date = date(text), (0..<1e10).contains(date.timeIntervalSince1970) else {
            throw ValidationError(
                "found \(text.quotedForMessage), wanted a time such as 2026-02-03T04:05:06Z or 2026-02-03")
        }
        // Milliseconds, as far as the formatter reads them.
        return Timestamp(nanoseconds: UInt64((date.timeIntervalSince1970 * 1_000).rounded()) * 1_000_000)
    }

    private static func date(_ text: String) -> Date? {
        let formatter = ISO8601DateFormatter()
        let forms: [ISO8601DateFormatter.Options] = [
            [.withInternetDateTime], [.withInternetDateTime, .withFractionalSeconds], [.withFullDate],
        ]
        for form in forms {
            formatter.formatOptions = form
            if let date = formatter.date(from: text) { return date }
        }
        return nil
    }
}
