/// Everything that there is to say about a configuration file, so that its author sees all of it at once.
struct Diagnostics: Sendable {
    /// What is printed at most; a file with more is not repaired from one list.
    static let maximumPrinted = 200

    let file: String
    private(set) var entries: [Diagnostic] = []

    init(file: String) {
        self.file = file
    }

    var hasErrors: Bool { count(.error) > 0 }

    func count(_ severity: Diagnostic.Severity) -> Int {
        entries.count { $0.severity == severity }
    }

    mutating func add(_ severity: Diagnostic.Severity, line: Int?, path: String, _ message: String) {
        entries.append(Diagnostic(severity: severity, file: file, line: line, path: path, message: message))
    }

    mutating func add(_ other: Diagnostics) {
        entries += other.entries
    }

    /// One line each, file by file, each in its order.
    var lines: [String] { lines(of: nil) }

    /// - Parameter severity: of those that are wanted; nil for all.
    func lines(of severity: Diagnostic.Severity?) -> [String] {
        let entries = entries.filter { severity == nil || $0.severity == severity }
        var places: [String: Int] = [file: 0]
        for entry in entries where places[entry.file] == nil { places[entry.file] = places.count }
        // A sort by line alone may swap the problems of one line.
        let sorted = entries.enumerated().sorted {
            (places[$0.element.file] ?? 0, $0.element.line ?? 0, $0.offset)
                < (places[$1.element.file] ?? 0, $1.element.line ?? 0, $1.offset)
        }
        let printed = sorted.prefix(Self.maximumPrinted).map(\.element.description)
        guard sorted.count > printed.count else { return printed }
        return printed + ["\(file): and \(sorted.count - printed.count) more"]
    }

    /// `2 errors, 1 warning`, or `no problems`.
    var summary: String {
        let counts = [Diagnostic.Severity.error, .warning, .note].compactMap { severity -> String? in
            let count = count(severity)
            guard count > 0 else { return nil }
            return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return counts.isEmpty ? "no problems" : counts.joined(separator: ", ")
    }
}
