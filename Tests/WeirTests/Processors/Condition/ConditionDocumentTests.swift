import Foundation
import Testing

@testable import Weir

@Suite struct ConditionDocumentTests {
    private func document() throws -> String {
        let root = URL(filePath: #filePath).appending(path: "../../../../..").standardized
        return try String(contentsOf: root.appending(path: "docs/conditions.md"), encoding: .utf8)
    }

    /// The lines of the blocks that are marked as conditions.
    private func examples() throws -> [String] {
        try document().components(separatedBy: "```condition\n").dropFirst().flatMap { block in
            (block.components(separatedBy: "```").first ?? "").split(separator: "\n").map(String.init)
        }
    }

    @Test func everyExampleOfTheDocumentationParses() throws {
        let examples = try examples()
        #expect(examples.count >= 9)
        for example in examples {
            #expect(throws: Never.self, "\(example)") { try Condition(parsing: example) }
        }
    }

    @Test func theDocumentationNamesEveryFieldAndOperator() throws {
        let text = try document()
        for word in ConditionField.words.map(\.word) + ConditionOperator.allCases.map(\.rawValue) {
            #expect(text.contains("`\(word)`") || text.contains("`\(word) "), "\(word)")
        }
    }
}
