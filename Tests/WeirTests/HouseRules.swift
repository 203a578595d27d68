import Foundation

/// The rules of `docs/style.md` that a machine can hold. Each gives a line for what breaks it.
enum HouseRules {
    /// The layers, and what each may import. A layer may use those in rows above it, and none beside it.
    static let layers: [[(folder: String, imports: Set<String>)]] = [
        [("Model", [])],
        [("Configuration", ["Foundation", "Yams"])],
        [("Journal", ["DequeModule", "Synchronization"])],
        [("Pipeline", ["Logging", "Synchronization"])],
        [
            (
                "System",
                [
                    "AsyncHTTPClient", "CLibraries", "Dispatch", "Glibc", "Logging", "NIOCore", "NIOHPACK", "NIOHTTP1",
                    "NIOHTTP2", "NIOPosix", "NIOSSL", "NIOTLS", "Synchronization",
                ]
            )
        ],
        [("Store", ["GRDB", "GRDBSQLite", "Logging", "Synchronization"])],
        [("Extensions", ["Logging", "Synchronization"])],
        [
            ("Receivers", ["Logging", "NIOCore", "NIOHTTP1", "Synchronization"]), ("Processors", []),
            ("Exporters", ["Logging"]),
        ],
        [("Stages", ["DequeModule", "Logging", "Synchronization"])],
        [("Operations", ["Logging", "NIOCore", "NIOHTTP1", "Synchronization"])],
        [("", ["Logging"])],
        [("Commands", ["ArgumentParser", "Foundation"])],
    ]

    /// Files of several small types that belong together and have one name for all of them.
    static let collections: Set = ["BatchEditing", "HTTPMessages", "Records", "WireFormat"]

    static let maxFileLines = 500
    static let maxLineLength = 120

    static func checkImports(_ file: SourceFile) -> [String] {
        guard let layer = layers.joined().first(where: { $0.folder == file.folder }) else {
            return ["\(file.path): found the folder \(file.folder), wanted one of the layers"]
        }
        return file.imports.filter { !layer.imports.contains($0) }.map {
            "\(file.path): found import \($0), wanted at most \(layer.imports.sorted().joined(separator: ", "))"
        }
    }

    /// What a file mentions of layers below it or beside it.
    static func checkLayers(_ files: [SourceFile]) -> [String] {
        var owners: [String: String] = [:]
        for file in files { for type in file.types { owners[type] = file.folder } }
        return files.flatMap { file in
            file.words.sorted().compactMap { word in
                // The program itself names its version and its first command.
                guard let owner = owners[word], owner != file.folder, !isProgram(word, in: file) else { return nil }
                guard rank(owner) >= rank(file.folder) else { return nil }
                return "\(file.path): found \(word) of \(owner.isEmpty ? "the top" : owner), wanted layers above only"
            }
        }
    }

    private static func isProgram(_ word: String, in file: SourceFile) -> Bool {
        file.path == "Program.swift" && word == "WeirCommand"
    }

    private static func rank(_ folder: String) -> Int {
        layers.firstIndex { row in row.contains { $0.folder == folder } } ?? layers.count
    }

    static func checkLength(_ file: SourceFile) -> [String] {
        let count = file.lines.count - 1
        return count > maxFileLines ? ["\(file.path): found \(count) lines, wanted \(maxFileLines)"] : []
    }

    /// Tests may quote what is longer.
    static func checkLines(_ file: SourceFile) -> [String] {
        zip(1..., file.lines).filter { $1.count > maxLineLength }.map { number, line in
            "\(file.path):\(number): found \(line.count) characters, wanted \(maxLineLength)"
        }
    }

    static func checkWords(_ file: SourceFile) -> [String] {
        // Of Foundation's, those that end the process where a stream takes or gives nothing.
        let ends = ["try!", "as!", "fatalError(", "FileHandle.standardError", "readDataToEndOfFile("]
        var problems = ends.filter { file.code.contains($0) }
        // It does not say that nothing was written. Not a method of that name.
        let calls = file.code.replacingOccurrences(of: ".print(", with: "").replacingOccurrences(
            of: "func print(", with: "")
        if !file.code.contains("func print("), calls.contains("print(") {
            problems.append("print(")
        }
        if file.path != "Program.swift", file.words.contains("public") { problems.append("public") }
        return problems.map { "\(file.path): found \($0)" }
    }

    static func checkNotes(_ file: SourceFile) -> [String] {
        let words = Set(file.text.split { !$0.isLetter && !$0.isNumber }.map(String.init))
        return ["TODO", "FIXME", "XXX"].filter(words.contains).map { "\(file.path): found \($0)" }
    }

    /// A test waits for a condition, with a deadline: `eventually` does.
    static func checkSleeps(_ file: SourceFile) -> [String] {
        ["Task.sleep(", "usleep(", "Thread.sleep("].filter(file.code.contains).map { "\(file.path): found \($0)" }
    }

    /// Where clients prove who they are, hashes and signatures are compared in constant time: `Digest.areEqual` does.
    static func checkSecrets(_ file: SourceFile) -> [String] {
        let places = ["Extensions/", "Pipeline/Authentication/", "System/Encryption/", "System/SignatureKey.swift"]
        guard places.contains(where: file.path.hasPrefix) else { return [] }
        // By Unicode's rules `a.hash` would be one word.
        let left = /\b(hash|secret|signature|digest|mac)\s*[!=]=/.wordBoundaryKind(.simple)
        let right = /[!=]=\s*(\w+\.)*(hash|secret|signature|digest|mac)\b(?!\.)/.wordBoundaryKind(.simple)
        guard file.code.contains(left) || file.code.contains(right) else { return [] }
        return ["\(file.path): found a secret behind == or !="]
    }

    /// What the compiler is told to believe needs its reason, in the comment above.
    static func checkProofs(_ file: SourceFile) -> [String] {
        let claims = ["@unchecked Sendable": "// Sendable: ", "nonisolated(unsafe)": "// Unsafe: "]
        let lines = file.lines
        return lines.indices.flatMap { index in
            claims.compactMap { claim, proof in
                guard lines[index].contains(claim) else { return nil }
                let hasProof = lines[max(0, index - 5)..<index].contains {
                    $0.drop { $0 == " " }.hasPrefix(proof)
                }
                return hasProof ? nil : "\(file.path):\(index + 1): found \(claim), wanted \"\(proof)…\" above it"
            }
        }
    }

    static func checkName(_ file: SourceFile) -> [String] {
        guard !file.types.isEmpty, !collections.contains(file.name) else { return [] }
        let type = String(file.name.prefix { $0 != "+" })
        if file.types.contains(type) || type != file.name { return [] }
        return ["\(file.path): found \(file.types.sorted().joined(separator: ", ")), wanted \(type) among them"]
    }
}
