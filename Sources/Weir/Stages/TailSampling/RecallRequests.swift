/// How `weir promote` and a running stage talk to each other: through files in the directory of the ring, so that who
/// may write there may ask, and a question is not lost where Weir does not run.
struct RecallRequests {
    enum Wish: Equatable, Sendable {
        case trace(TraceID)
        /// In the language of docs/conditions.md, of a span of the trace.
        case condition(String)
    }

    struct Request: Equatable, Sendable {
        /// By which the answer is found.
        let token: String
        let wish: Wish
        /// Whose traces; nil: everybody's.
        var tenant: String?
        /// Some of it may be called back already, and nobody was told so.
        var wasBegun = false

        func isFor(_ tenant: String) -> Bool { self.tenant == nil || self.tenant == tenant }
    }

    /// In place of a tenant, which has no such name.
    private static let everybody = "*"

    struct Answer: Equatable, Sendable {
        var traces = 0
        var spans = 0
    }

    /// In place of numbers.
    private static let begun = "begun"

    /// Of a file, in bytes.
    static let maxBytes = 1 << 20
    /// Who asked may not have looked yet: so many answers stay when the others make room.
    private static let newestAnswers = 1_000

    private let directory: String

    init(_ directory: String) {
        self.directory = directory
    }

    private var asked: LineFile { LineFile("requests", in: directory) }
    private var answered: LineFile { LineFile("answers", in: directory) }

    /// Whoever asks holds it while that is written, and who removes what is answered: else a question could go into
    /// a file that has no name any more.
    private func lock() throws(FileError) -> FileLock? {
        try FileLock.take("\(directory)/requests.lock", waits: true)
    }

    // MARK: - Who asks

    /// - Returns: false where too many wait.
    func ask(_ request: Request) throws(FileError) -> Bool {
        try Directory.create(directory)
        let wish =
            switch request.wish {
            case .trace(let trace): "trace \(trace.text)"
            case .condition(let text): "condition \(text)"
            }
        let line = "\(request.token) \(request.tenant ?? Self.everybody) \(wish)\n"
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        return try asked.append(Array(line.utf8)) { $0 <= Self.maxBytes } != nil
    }

    func answer(to token: String) throws(FileError) -> Answer? {
        try lines(of: answered).compactMap { line -> Answer? in
            let parts = line.split(separator: " ")
            guard parts.count == 3, parts[0] == token, let traces = Int(parts[1]), let spans = Int(parts[2]) else {
                return nil
            }
            return Answer(traces: traces, spans: spans)
        }.last
    }

    // MARK: - Who answers

    /// All that wait, in their order; what is none is left out.
    func waiting() throws(FileError) -> [Request] {
        let words = try lines(of: answered).map { $0.split(separator: " ") }
        let begun = Set(words.filter { $0.count == 2 && $0[1] == Self.begun }.map { $0[0] })
        let done = Set(words.filter { $0.count == 3 }.map { $0[0] })
        return try lines(of: asked).compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 3)
            guard parts.count == 4, !done.contains(parts[0]) else { return nil }
            let wish: Wish? =
                switch parts[2] {
                case "trace": TraceID(String(parts[3])).map { .trace($0) }
                case "condition": .condition(String(parts[3]))
                default: nil
                }
            let tenant = parts[1] == Self.everybody ? nil : String(parts[1])
            return wish.map {
                Request(token: String(parts[0]), wish: $0, tenant: tenant, wasBegun: begun.contains(parts[0]))
            }
        }
    }

    /// From here on it is carried out.
    func begin(_ request: Request) throws(FileError) {
        try write("\(request.token) \(Self.begun)\n")
    }

    /// Who has asked meanwhile goes on waiting.
    func answer(_ token: String, with answer: Answer) throws(FileError) {
        try write("\(token) \(answer.traces) \(answer.spans)\n")
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        guard try waiting().isEmpty else { return }
        try asked.remove()
        try Directory.sync(directory)
    }

    private func write(_ line: String) throws(FileError) {
        guard try answered.append(Array(line.utf8), where: { $0 <= Self.maxBytes }) == nil else { return }
        // Nobody looks for the old ones any more, but for what was begun of those that wait.
        let begun = try waiting().filter(\.wasBegun).map { "\($0.token) \(Self.begun)\n" }
        let newest = try lines(of: answered).filter { !$0.hasSuffix(Self.begun) }.suffix(Self.newestAnswers)
        let kept = begun.joined() + newest.map { "\($0)\n" }.joined()
        try Directory.replace(answered.path, with: Array((kept + line).utf8))
    }

    private func lines(of file: LineFile) throws(FileError) -> [String] {
        guard Directory.has(file.path) else { return [] }
        var reader = try LineReader(file.path, from: 0)
        var lines: [String] = []
        while let line = try reader.next({ String(decoding: $0.dropLast(), as: UTF8.self) }) { lines.append(line) }
        return lines
    }
}
