extension Bursts.Request {
    /// What of a request is wrong.
    struct Problem: Error {
        let message: String
    }

    private static let keys: [StaticString] = ["processor", "rules", "for", "max_bytes", "reason"]
    /// Rules, and bytes of a reason.
    private static let maxRules = 64
    private static let maxReason = 256

    /// Reads `{"processor":"sampling","rules":["ui"],"for":"30m","max_bytes":"1GiB","reason":"incident 7"}`, of which
    /// everything may be left out.
    init(parsing body: Payload) throws(Problem) {
        self.init()
        guard body.count > 0 else { return }
        // The scanner of OTLP/JSON works in a batch.
        var batch = Batch()
        batch.reset(to: body)
        var scanner = JSONScanner(batch.arena)
        var wrong: Problem?
        do throws(JSONProblem) {
            try scanner.eachMember { (scanner, key) throws(JSONProblem) in
                let name = Self.keys.first { key.equals($0) }?.description
                if name == "rules" {
                    var rules: Set<String> = []
                    try scanner.eachElement { (scanner) throws(JSONProblem) in
                        rules.insert(batch.text(try scanner.readString()))
                    }
                    self.rules = rules
                } else if let name {
                    let value = batch.text(try scanner.readString())
                    do throws(Problem) { try set(name, to: value) } catch { wrong = wrong ?? error }
                } else {
                    let known = Self.keys.map(\.description).joined(separator: ", ")
                    wrong = wrong ?? Problem(message: "found an unknown key, wanted one of \(known)")
                    try scanner.skipValue()
                }
            }
        } catch {
            throw Problem(message: "found something else than an object of strings, wanted JSON")
        }
        if scanner.peek() != 0 { throw Problem(message: "found something behind the object, wanted nothing") }
        if let wrong { throw wrong }
        guard rules?.count ?? 1 > 0, rules?.count ?? 1 <= Self.maxRules else {
            throw Problem(message: "rules: found \(rules?.count ?? 0), wanted 1 to \(Self.maxRules)")
        }
    }

    private mutating func set(_ name: String, to value: String) throws(Problem) {
        switch name {
        case "processor": processor = value
        case "reason":
            guard value.utf8.count <= Self.maxReason else {
                throw Problem(message: "reason: found \(value.utf8.count) bytes, wanted at most \(Self.maxReason)")
            }
            reason = value
        case "for":
            guard let duration = Duration(parsing: value), Burst.durations.contains(duration) else {
                throw Problem(message: "for: found \(value.quotedForMessage), wanted a duration from 1s to 24h")
            }
            self.duration = duration
        default:
            guard let bytes = ByteCount(parsing: value)?.bytes, Burst.budgets.contains(bytes) else {
                throw Problem(message: "max_bytes: found \(value.quotedForMessage), wanted a size from 1B to 1TiB")
            }
            budget = bytes
        }
    }
}
