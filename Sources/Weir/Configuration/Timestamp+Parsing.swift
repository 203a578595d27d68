import Foundation

extension Timestamp {
    /// Reads `2026-02-03T04:05:06Z`, with an offset or fractions of a second where it has them, or `2026-02-03`; nil
    /// where the text is something else, or before 1970.
    init?(parsing text: String) {
        let forms: [ISO8601DateFormatter.Options] = [
            [.withInternetDateTime], [.withInternetDateTime, .withFractionalSeconds], [.withFullDate],
        ]
        let formatter = ISO8601DateFormatter()
        let date = forms.lazy.compactMap { form in
            formatter.formatOptions = form
            return formatter.date(from: text)
        }.first
        guard let date, (0..<1e10).contains(date.timeIntervalSince1970) else { return nil }
        // Milliseconds, as far as the formatter reads them.
        self.init(nanoseconds: UInt64((date.timeIntervalSince1970 * 1_000).rounded()) * 1_000_000)
    }
}
