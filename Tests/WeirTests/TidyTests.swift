import Testing

@testable import Weir

@Suite struct TidyTests {
    private static let read = Result {
        (sources: try SourceFile.all(below: "Sources/Weir"), tests: try SourceFile.all(below: "Tests/WeirTests"))
    }
    private let sources: [SourceFile]
    private let tests: [SourceFile]

    init() throws {
        (sources, tests) = try Self.read.get()
    }

    @Test func findsTheFilesOfThePackage() {
        #expect(sources.contains { $0.path == "Journal/Journal.swift" })
        #expect(tests.contains { $0.path == "TidyTests.swift" })
    }

    @Test func eachLayerImportsOnlyWhatItMay() {
        #expect(sources.flatMap(HouseRules.checkImports) == [])
        check("Model/A.swift", "import Foundation", breaks: HouseRules.checkImports)
        check("Journal/A.swift", "@preconcurrency import Dispatch", breaks: HouseRules.checkImports)
        check("Receivers/A.swift", "import CLibraries", breaks: HouseRules.checkImports)
        check("Helpers/A.swift", "", breaks: HouseRules.checkImports)
        check("Pipeline/A.swift", "import Logging\n// import Yams", keeps: HouseRules.checkImports)
    }

    @Test func eachLayerUsesOnlyThoseAboveIt() {
        #expect(HouseRules.checkLayers(sources) == [])
        let exporter = SourceFile(
            path: "Exporters/Printer.swift", text: "final class Printer {}\nprivate struct Own {}")
        for path in ["Model/A.swift", "System/HTTP/A.swift", "Processors/A.swift"] {
            let file = SourceFile(path: path, text: "struct A { let printer: Printer }")
            #expect(HouseRules.checkLayers([exporter, file]).count == 1, "\(path)")
        }
        for path in ["Operations/A.swift", "A.swift", "Exporters/A.swift"] {
            let file = SourceFile(path: path, text: "struct A { let printer: Printer }")
            #expect(HouseRules.checkLayers([exporter, file]) == [], "\(path)")
        }
        let silent = SourceFile(path: "Model/A.swift", text: "// Printer\nlet text = \"a \\\" Printer\"\nstruct Own {}")
        #expect(HouseRules.checkLayers([exporter, silent]) == [])
    }

    @Test func filesAndLinesAreShort() {
        #expect((sources + tests).flatMap(HouseRules.checkLength) == [])
        #expect(sources.flatMap(HouseRules.checkLines) == [])
        check("A.swift", String(repeating: "x", count: 121), breaks: HouseRules.checkLines)
        check("A.swift", String(repeating: "x\n", count: 501), breaks: HouseRules.checkLength)
        check("A.swift", String(repeating: "x\n", count: 500), keeps: HouseRules.checkLength)
        check("A.swift", String(repeating: "é", count: 120), keeps: HouseRules.checkLines)
    }

    @Test func nothingIsForcedPrintedOrMadePublic() {
        #expect(sources.flatMap(HouseRules.checkWords) == [])
        for text in ["try! a()", "a as! B", "fatalError()", "print(a)", "public struct A {}"] {
            check("Model/A.swift", text, breaks: HouseRules.checkWords)
        }
        for text in ["print(a)", "FileHandle.standardError.write(a)", "handle.readDataToEndOfFile()"] {
            check("Commands/A.swift", text, breaks: HouseRules.checkWords)
        }
        check("Program.swift", "public enum Program {}", keeps: HouseRules.checkWords)
        check("Model/A.swift", "/// Like `try! a()`.\nlet text = \"fatalError()\"", keeps: HouseRules.checkWords)
    }

    @Test func nothingIsLeftForLater() {
        let own = ["HouseRules.swift", "TidyTests.swift"]
        #expect((sources + tests).filter { !own.contains($0.path) }.flatMap(HouseRules.checkNotes) == [])
        check("A.swift", "// TODO: more", breaks: HouseRules.checkNotes)
        check("A.swift", "let escape = \"\\uXXXX\"", keeps: HouseRules.checkNotes)
    }

    @Test func noTestSleeps() {
        #expect(tests.filter { $0.path != "Eventually.swift" }.flatMap(HouseRules.checkSleeps) == [])
        check("A.swift", "try await Task.sleep(for: .seconds(1))", breaks: HouseRules.checkSleeps)
        check("A.swift", "run(\"SELECT pg_sleep(600)\")", keeps: HouseRules.checkSleeps)
    }

    @Test func secretsAreComparedInConstantTime() {
        #expect(sources.flatMap(HouseRules.checkSecrets) == [])
        for text in ["a.hash == b", "if signature != wanted {}", "let x = wanted == self.digest", "b==secret"] {
            check("Extensions/A.swift", text, breaks: HouseRules.checkSecrets)
        }
        check("Extensions/A.swift", "hash.count == 32 && 32 == hash.count", keeps: HouseRules.checkSecrets)
        check("Extensions/A.swift", "Digest.areEqual(hash, other) // hash == other", keeps: HouseRules.checkSecrets)
    }

    @Test func whatTheCompilerIsToldToBelieveIsProven() {
        #expect(sources.flatMap(HouseRules.checkProofs) == [])
        check("A.swift", "final class A: @unchecked Sendable {\n}", breaks: HouseRules.checkProofs)
        check("A.swift", "// fast\nnonisolated(unsafe) var a = 1", breaks: HouseRules.checkProofs)
        check("A.swift", "// Unsafe: one thread.\nnonisolated(unsafe) var a = 1", keeps: HouseRules.checkProofs)
        check("A.swift", "// Sendable: fixed.\nclass A: @unchecked Sendable {", keeps: HouseRules.checkProofs)
        check("A.swift", "class A: @unchecked Sendable {\n    // Sendable: fixed.", breaks: HouseRules.checkProofs)
    }

    @Test func filesAreNamedAfterATypeInThem() {
        #expect(sources.flatMap(HouseRules.checkName) == [])
        check("Model/A.swift", "struct B {}", breaks: HouseRules.checkName)
        check("Model/A.swift", "struct B {}\nfinal class A {}", keeps: HouseRules.checkName)
        check("Model/A+Text.swift", "extension A {}\nstruct B {}", keeps: HouseRules.checkName)
        check("Model/A.swift", "private struct B {}", keeps: HouseRules.checkName)
    }

    @Test func everyComponentHasTests() {
        let components: [(folder: String, names: [String])] = [
            ("Receivers", Registry.receivers.map { "\($0)" }), ("Processors", Registry.processors.map { "\($0)" }),
            ("Exporters", Registry.exporters.map { "\($0)" }), ("Stages", Registry.stages.map { "\($0)" }),
            ("Extensions", Registry.extensions.map { "\($0)" }),
        ]
        for (folder, names) in components {
            let files = tests.filter { $0.folder == folder && $0.name.hasSuffix("Tests") }
            for name in names {
                #expect(files.contains { $0.name == "\(name)Tests" || $0.words.contains(name) }, "\(folder)/\(name)")
            }
        }
    }

    private func check(
        _ path: String, _ text: String, breaks rule: (SourceFile) -> [String],
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(rule(SourceFile(path: path, text: text)).count == 1, sourceLocation: location)
    }

    private func check(
        _ path: String, _ text: String, keeps rule: (SourceFile) -> [String],
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(rule(SourceFile(path: path, text: text)) == [], sourceLocation: location)
    }
}
