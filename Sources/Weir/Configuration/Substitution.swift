/// Puts environment variables into scalars: `${env:NAME}`, `${env:NAME:-default}`, where the default may be another
/// one, and `$$` for a dollar sign.
struct Substitution: Sendable {
    /// Of references in the defaults of others.
    static let maximumDepth = 8

    /// Nil leaves references as they stand.
    let environment: [String: String]?

    /// - Parameter limit: The bytes that the result may have.
    func expand(_ text: String, limit: Int) throws(ConfigError) -> (text: String, isExpanded: Bool) {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return (text, false) }
        guard environment != nil else { return (text, text.contains("${")) }
        var rest = text[...]
        var result = ""
        var isExpanded = false
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            switch rest.first {
            case "$":
                result += "$"
                rest = rest.dropFirst()
            case "{":
                result += try value(of: Self.takeReference(&rest), limit)
                isExpanded = true
            default:
                result += "$"
            }
            guard result.utf8.count <= limit else {
                throw ConfigError("is too long after substitution, wanted at most \(limit) bytes")
            }
        }
        return (result + rest, isExpanded)
    }

    /// Takes `{…}` off the front, and returns what is between the braces, other references among it.
    private static func takeReference(_ rest: inout Substring) throws(ConfigError) -> Substring {
        var open = 0
        var isTooDeep = false
        var previous: Character = "$"
        let end = rest.indices.first { index in
            if rest[index] == "{", previous == "$" { open += 1 }
            isTooDeep = isTooDeep || open > maximumDepth
            if rest[index] == "}" { open -= 1 }
            previous = rest[index]
            return open == 0 || isTooDeep
        }
        guard !isTooDeep else {
            throw ConfigError(
                found: "more than \(maximumDepth) references, each in the default of the one before",
                wanted: "at most as many")
        }
        guard let end else {
            throw ConfigError("found \"${\" without \"}\", wanted ${env:NAME}, or $${ for the text ${")
        }
        let reference = rest[..<end].dropFirst()
        rest = rest[end...].dropFirst()
        return reference
    }

    private func value(of reference: Substring, _ limit: Int) throws(ConfigError) -> String {
        let parts = reference.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "env" else { throw Self.malformed(reference) }
        var name = parts[1]
        var fallback: Substring?
        if let separator = name.firstRange(of: ":-") {
            fallback = name[separator.upperBound...]
            name = name[..<separator.lowerBound]
        }
        guard Self.isName(name) else { throw Self.malformed(reference) }
        if let value = environment?[String(name)] { return value }
        guard let fallback else {
            throw ConfigError(
                "environment variable \(name) is not set, wanted a value for it or a default: ${env:\(name):-default}")
        }
        // A default is text as it stands, unless it refers to something. Each one inside is shorter, so this ends.
        return fallback.contains("${") ? try expand(String(fallback), limit: limit).text : String(fallback)
    }

    static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    private static func malformed(_ reference: Substring) -> ConfigError {
        ConfigError(
            found: "${\(reference.prefix(80))}",
            wanted: "${env:NAME} or ${env:NAME:-default}, or $${ for the text ${")
    }
}
