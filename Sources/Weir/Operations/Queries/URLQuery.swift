/// What stands behind the `?` of a request's target: names and values, taken one by one.
struct URLQuery {
    /// What was found and what was wanted.
    struct Problem: Error, Equatable {
        let message: String
        var isForbidden = false

        var response: HTTPResponse { HTTPResponse(isForbidden ? .forbidden : .badRequest, error: message) }
    }

    /// Bytes of a value.
    static let maximumValue = 1_024
    /// What asks for something encrypted.
    static let reveal = "reveal"
    private static let maximumPairs = 64

    private var pairs: [(name: String, value: String)] = []
    private var known: [String] = []

    init(of uri: String) throws(Problem) {
        let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parts.count == 2, let value = Self.decoded(parts[1]), !value.isEmpty,
                value.utf8.count <= Self.maximumValue
            else {
                throw Problem(message: "\(name.prefix(64)): wanted a value of 1 to \(Self.maximumValue) bytes")
            }
            pairs.append((name, value))
        }
        guard pairs.count <= Self.maximumPairs else {
            throw Problem(message: "found \(pairs.count) values, wanted at most \(Self.maximumPairs)")
        }
    }

    /// Whether the target of a request has a value of this name.
    static func has(_ name: String, in uri: String) -> Bool {
        let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        return query.split(separator: "&").contains { $0.prefix { $0 != "=" } == name }
    }

    /// All values of a name.
    mutating func all(_ name: String) -> [String] {
        known.append(name)
        defer { pairs.removeAll { $0.name == name } }
        return pairs.filter { $0.name == name }.map(\.value)
    }

    /// The one value of a name; nil where it is not there.
    mutating func text(_ name: String) throws(Problem) -> String? {
        let values = all(name)
        guard values.count <= 1 else { throw Problem(message: "\(name): found \(values.count) values, wanted one") }
        return values.first
    }

    /// The same, read as something else.
    /// - Parameter wanted: what `read` takes.
    mutating func value<Value>(
        _ name: String, wanted: String, _ read: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = try text(name) else { return nil }
        guard let value = read(text) else {
            throw Problem(message: "\(name): found \(text.quotedForMessage), wanted \(wanted)")
        }
        return value
    }

    /// Whose data it is about: those of who asks, whatever the query says, and without keys whose it says.
    mutating func tenant(of identity: Identity?) throws(Problem) -> String {
        let said = try text("tenant")
        guard let identity else { return said ?? Batch.anybody }
        guard said == nil || said == identity.tenant else {
            throw Problem(message: "found another tenant than that of the key, wanted its own", isForbidden: true)
        }
        return identity.tenant
    }

    /// Once everything was asked for.
    func finish() throws(Problem) {
        guard let name = pairs.first?.name else { return }
        let wanted = known.isEmpty ? "nothing" : "one of \(known.joined(separator: ", "))"
        throw Problem(message: "found \(name.quotedForMessage), wanted \(wanted)\(suggestion(for: name, among: known))")
    }

    /// Nil where it is not UTF-8, or a `%` begins nothing.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
