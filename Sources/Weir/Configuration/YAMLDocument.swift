import Yams

/// The parse of one YAML text, with keys that were given twice still in it.
///
/// Yams stops at the first mapping with a key given twice and does not say where in the tree it stands. So that such a
/// key does not hide every other problem of the file, its first occurrence is renamed in the text and the text is
/// parsed again; `name(of:)` takes the mark off.
struct YAMLDocument {
    let root: Node?
    private let isMarked: Bool

    /// Printable for YAML, and not in use: private. A file that needed it is in error, whatever else it holds.
    private static let mark: Character = "\u{E000}"
    private static let maximumDuplicates = 10

    init(parsing text: String) throws {
        var text = text
        for attempt in 0... {
            do {
                root = try Yams.compose(yaml: text, .default, .default, .utf8)
                isMarked = attempt > 0
                return
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) where attempt < Self.maximumDuplicates {
                guard let marked = Self.renaming(keys.first ?? "", at: context.mark, in: text) else {
                    throw YamlError.duplicatedKeysInMapping(duplicates: keys, context: context)
                }
                text = marked
            }
        }
        preconditionFailure("the last attempt returns or throws")
    }

    /// The key as it stands in the file.
    func name(of key: String) -> String {
        guard isMarked else { return key }
        return String(key.drop { $0 == Self.mark })
    }

    private static func renaming(_ key: String, at mark: Mark, in text: String) -> String? {
        guard var index = text.index(of: mark) else { return nil }
        if text[index] == "\"" || text[index] == "'" {
            index = text.index(after: index)
        } else if !text[index...].hasPrefix(key) {
            return nil
        }
        var renamed = text
        renamed.insert(Self.mark, at: index)
        return renamed
    }
}

extension String {
    /// Where libyaml's line and column are; it counts scalars, and has YAML 1.1's five line breaks.
    fileprivate func index(of mark: Mark) -> String.Index? {
        var line = 1
        var column = 1
        var previous: Unicode.Scalar?
        for index in unicodeScalars.indices {
            let scalar = unicodeScalars[index]
            if previous == "\r" && scalar != "\n" { (line, column) = (line + 1, 1) }
            if line == mark.line && column == mark.column { return index }
            switch scalar {
            case "\n", "\u{85}", "\u{2028}", "\u{2029}": (line, column) = (line + 1, 1)
            default: column += 1
            }
            previous = scalar
        }
        return nil
    }
}
