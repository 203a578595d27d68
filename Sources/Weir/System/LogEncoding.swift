/// How a log line is written.
enum LogEncoding: String, CaseIterable, Sendable {
    /// `time=… level=info label=… message="…" key=value`
    case logfmt
    /// One JSON object with the same names.
    case json
}
