import Yams

/// Turns the text of a configuration file into nodes that know their lines.
///
/// Refuses what would make the file cost more than its size: depth, number of values, and aliases that unfold into more
/// aliases.
struct YAMLReader {
    static let maximumSize = ByteCount.mebibytes(1)
    static let maximumDepth = 64
    static let maximumNodes = 100_000
    static let maximumAliases = 32

    private let substitution: Substitution
    private var document: YAMLDocument?
    private var nodes = 0
    private var expandedBytes = 0
    private(set) var diagnostics: Diagnostics

    init(file: String, environment: [String: String]) {
        substitution = Substitution(environment: environment)
        diagnostics = Diagnostics(file: file)
    }

    /// Leaves references to the environment as they stand; a text with one counts as expanded.
    init(keepingReferencesOf file: String) {
        substitution = Substitution(environment: nil)
        diagnostics = Diagnostics(file: file)
    }

    /// The top of the file; nil, with an error among `diagnostics`, where it cannot be parsed.
    mutating func read(_ text: String) -> ConfigNode? {
        guard text.utf8.count <= Self.maximumSize.bytes else {
            return fail("found \(text.utf8.count) bytes, wanted at most \(Self.maximumSize)", line: nil)
        }
        // Three aliases a level make 3^n values of 3n aliases, and Yams compares keys before anyone could count: 32
        // aliases are some 60,000 values.
        guard Self.aliases(in: text) <= Self.maximumAliases else {
            return fail("found more than \(Self.maximumAliases) aliases, wanted fewer", line: nil)
        }
        // YAML 1.2, 5.2: a byte order mark in front of a document is none of its characters.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        do {
            let document = try YAMLDocument(parsing: text)
            self.document = document
            guard let root = document.root else { return ConfigNode(line: 1, content: .mapping([])) }
            return node(root, line: 1, path: "", depth: 0)
        } catch {
            let (message, line) = Self.describe(error)
            return fail(Self.cause(of: message, in: text, line), line: line)
        }
    }

    private mutating func fail(_ message: String, line: Int?) -> ConfigNode? {
        diagnostics.add(.error, line: line, path: "", message)
        return nil
    }

    private mutating func node(_ node: Node, line: Int, path: String, depth: Int) -> ConfigNode {
        nodes += 1
        guard nodes <= Self.maximumNodes else {
            // Once is enough for the reader of the message.
            let message = "found more than \(Self.maximumNodes) values in the file"
            return nodes == Self.maximumNodes + 1
                ? unreadable(message, line, path) : ConfigNode(line: line, content: .unreadable)
        }
        guard depth <= Self.maximumDepth else {
            return unreadable("found more than \(Self.maximumDepth) levels", line, path)
        }
        switch node {
        case .scalar(let scalar):
            return self.scalar(scalar, line, path)
        case .sequence(let items):
            let children = items.enumerated().map { index, item in
                self.node(item, line: item.mark?.line ?? line, path: "\(path)[\(index)]", depth: depth + 1)
            }
            return ConfigNode(line: line, content: .sequence(children))
        case .mapping(let mapping):
            return ConfigNode(line: line, content: .mapping(entries(mapping, line, path, depth)))
        case .alias:
            return unreadable("found an alias to nothing", line, path)
        }
    }

    private mutating func scalar(_ scalar: Node.Scalar, _ line: Int, _ path: String) -> ConfigNode {
        do {
            let (text, isExpanded) = try substitution.expand(
                scalar.string, limit: Self.maximumSize.bytes - expandedBytes)
            if isExpanded { expandedBytes += text.utf8.count }
            let isQuoted = scalar.style != .plain && scalar.style != .any
            return ConfigNode(
                line: line, content: .scalar(ConfigText(text: text, isQuoted: isQuoted, isExpanded: isExpanded)))
        } catch {
            return unreadable(error.message, line, path)
        }
    }

    private mutating func entries(
        _ mapping: Node.Mapping, _ line: Int, _ path: String, _ depth: Int
    ) -> [ConfigNode.Entry] {
        var lines: [String: Int] = [:]
        var entries: [ConfigNode.Entry] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? line
            guard case .scalar(let scalar) = key, let name = document?.name(of: scalar.string), !name.isEmpty else {
                diagnostics.add(.error, line: line, path: path, "found a key that is no text, wanted a name")
                continue
            }
            let path = Fields.path(path, name)
            if let first = lines[name] {
                diagnostics.add(.error, line: line, path: path, "is given twice, first on line \(first)")
                continue
            }
            lines[name] = line
            guard name != "<<" else {
                diagnostics.add(.error, line: line, path: path, "found a merge key, wanted the keys written out")
                continue
            }
            entries.append(.init(key: name, value: node(value, line: line, path: path, depth: depth + 1)))
        }
        return entries
    }

    private mutating func unreadable(_ message: String, _ line: Int, _ path: String) -> ConfigNode {
        diagnostics.add(.error, line: line, path: path, message)
        return ConfigNode(line: line, content: .unreadable)
    }

    /// How many words look like an alias; none counts where no word looks like an anchor.
    private static func aliases(in text: String) -> Int {
        let words = text.split { " \t\r\n[]{},".contains($0) }
        // libyaml: the name of an anchor is made of letters, digits, `_` and `-`.
        func count(_ sign: Character) -> Int {
            words.count { word in
                word.first == sign
                    && word.dropFirst().first.map { $0.isLetter || $0.isNumber || "_-".contains($0) } ?? false
            }
        }
        return count("&") == 0 ? 0 : count("*")
    }

    /// What libyaml's words leave open.
    private static func cause(of message: String, in text: String, _ line: Int?) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let line, lines.indices.contains(line - 1) else { return message }
        // YAML 1.2, 6.1: "tab characters must not be used in indentation".
        if lines[line - 1].prefix(while: { " \t".contains($0) }).contains("\t") { return "found a tab, wanted spaces" }
        // YAML 1.2, 7.3.3: between brackets no text without quotes has a brace in it.
        guard message.contains("a flow "), lines[line - 1].contains("${") else { return message }
        return message + ": between { } or [ ], ${env:NAME} has to stand in quotes"
    }

    private static func describe(_ error: any Error) -> (message: String, line: Int?) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            guard let context else { return (problem, mark.line) }
            // A quote that is not closed is missed where the file ends, and has to be looked for where it began.
            let isOpen = context.text.hasSuffix("quoted scalar") && problem.hasPrefix("found unexpected")
            return ("\(context.text), \(problem)", isOpen ? context.mark.line : mark.line)
        case .duplicatedKeysInMapping(let keys, let context):
            return ("\(keys.joined(separator: ", ")): is given twice", context.mark.line)
        case .reader(let problem, let offset, _, let text):
            return (problem, offset.map { 1 + text.prefix($0).count(where: \.isNewline) })
        case nil, .some:
            return ("cannot be parsed: \(error)", nil)
        }
    }
}
