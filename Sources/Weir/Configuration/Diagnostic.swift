/// One thing that there is to say about a configuration file.
struct Diagnostic: Sendable, Equatable {
    enum Severity: String, Sendable {
        /// The file does what it says, but perhaps not what its author thinks.
        case note
        /// A part of the file has no effect.
        case warning
        /// Weir does not start with this file.
        case error
    }

    let severity: Severity
    let file: String
    /// Counted from 1; absent where the file as a whole is meant.
    let line: Int?
    /// Keys and list positions from the top, as in `processors.attributes/env.actions[0].key`; empty at the top.
    let path: String
    /// Lower case, without a full stop: what was found and what was wanted.
    let message: String
}

extension Diagnostic: CustomStringConvertible {
    var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if severity != .error { text += ": \(severity.rawValue)" }
        if !path.isEmpty { text += ": \(path)" }
        return text + ": " + message
    }
}
