import Foundation

/// One Swift file, as ``HouseRules`` looks at it.
struct SourceFile {
    /// Below `Sources/Weir` or `Tests/WeirTests`.
    let path: String
    let text: String
    /// The text without comments and without what stands in quotes.
    let code: String
    /// Types that it declares at the outermost level and that other files can see.
    let types: Set<String>

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = Self.code(of: text)
        types = Self.types(in: code)
    }

    /// The layer: the first folder of the path, empty for a file that is in none.
    var folder: String { path.contains("/") ? String(path.prefix { $0 != "/" }) : "" }
    var name: String { String(path.split(separator: "/").last ?? "").replacingOccurrences(of: ".swift", with: "") }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var words: Set<String> { Set(Self.words(in: code)) }

    var imports: [String] {
        code.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index <= 1, words.count > index + 1 else { return nil }
            return String(words[index + 1])
        }
    }

    /// Every Swift file below a folder of this package.
    static func all(below folder: String) throws -> [SourceFile] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../" + folder
        let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            SourceFile(path: path, text: try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8))
        }
    }

    private static func words(in text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    }

    private static func code(of text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var code = ""
            var isQuoted = false
            var isEscaped = false
            var previous: Character?
            for character in line {
                if isEscaped {
                    isEscaped = false
                } else if isQuoted, character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isQuoted.toggle()
                } else if !isQuoted {
                    if character == "/", previous == "/" {
                        code.removeLast()
                        break
                    }
                    code.append(character)
                }
                previous = character
            }
            return code
        }.joined(separator: "\n")
    }

    private static func types(in code: String) -> Set<String> {
        let kinds: Set = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        let outermost = code.split(separator: "\n").filter { $0.first?.isWhitespace == false }
        return Set(
            outermost.compactMap { line in
                let words = words(in: String(line))
                guard let kind = words.firstIndex(where: kinds.contains), words.count > kind + 1,
                    words[..<kind].allSatisfy({ ["final", "indirect", "public"].contains($0) })
                else { return nil }
                return words[kind + 1]
            })
    }
}
