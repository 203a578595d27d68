/// Finds the few things that are wanted of a store's answers in XML: elements by their names, which have no attributes
/// there. What is broken is not found.
enum XMLElements {
    /// What stands inside of each element of that name, in their order; not of those inside of one of them.
    static func all(_ name: String, in text: Substring) -> [Substring] {
        let (start, end) = ("<\(name)>", "</\(name)>")
        var found: [Substring] = []
        var rest = text
        while let first = rest.firstRange(of: start), let last = rest[first.upperBound...].firstRange(of: end) {
            found.append(rest[first.upperBound..<last.lowerBound])
            rest = rest[last.upperBound...]
        }
        return found
    }

    /// The text of the first one; nil where there is none.
    static func first(_ name: String, in text: Substring) -> String? {
        let (start, end) = ("<\(name)>", "</\(name)>")
        guard let first = text.firstRange(of: start), let last = text[first.upperBound...].firstRange(of: end) else {
            return nil
        }
        return unescaped(text[first.upperBound..<last.lowerBound])
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// XML 1.0 4.6 and 4.1: the entities that every document has, and characters by their numbers.
    private static func unescaped(_ text: Substring) -> String {
        var plain = ""
        var rest = text
        while let sign = rest.firstIndex(of: "&") {
            plain += rest[..<sign]
            rest = rest[sign...].dropFirst()
            guard let end = rest.prefix(12).firstIndex(of: ";"), let scalar = scalar(rest[..<end]) else {
                plain += "&"
                continue
            }
            plain.unicodeScalars.append(scalar)
            rest = rest[end...].dropFirst()
        }
        return plain + rest
    }

    private static func scalar(_ entity: Substring) -> Unicode.Scalar? {
        switch entity {
        case "amp": "&"
        case "lt": "<"
        case "gt": ">"
        case "quot": "\""
        case "apos": "'"
        default:
            if entity.hasPrefix("#x") {
                UInt32(entity.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
            } else if entity.hasPrefix("#") {
                UInt32(entity.dropFirst()).flatMap(Unicode.Scalar.init)
            } else {
                nil
            }
        }
    }
}
