import Foundation
import Testing

/// The compiler itself is asked: what does not say whose rows it wants is no program.
@Suite struct TenantScopeTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../../Sources/Weir").standardizedFileURL.path
    private static let types = [
        "Store/Queries": [
            "TenantScope", "StoreQuery", "AggregateQuery", "ServicesQuery", "OperationsQuery", "SQLText", "SQLValue",
            "SQLDialect", "TimeWindow", "Page", "SpanCursor", "QueryError", "QueryLimits", "ColumnReader",
            "StoredRows",
        ],
        "Model": ["Tenant", "Timestamp", "TraceID", "Day", "CalendarTime", "ZeroPadding"],
    ]
    /// What these types mention of others.
    private static let others = """
        struct ByteCount: Sendable, Equatable { let bytes: Int }
        struct FoundSpan: Sendable { let cursor: SpanCursor }
        extension String { var quotedForMessage: String { self } }
        extension Duration { var text: String { "\\(self)" } }

        """

    /// The errors of a program that stands beside the types of questions.
    private func errors(_ program: String) throws -> [String] {
        let directory = try TemporaryDirectory()
        let main = "\(directory.path)/main.swift"
        try (Self.others + program).write(toFile: main, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let files = Self.types.flatMap { folder, names in names.map { "\(Self.sources)/\(folder)/\($0).swift" } }
        process.arguments = ["swiftc", "-typecheck", "-swift-version", "6"] + files + [main]
        let output = Pipe()
        process.standardError = output
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("/") && $0.contains(": error: ") }
        #expect((process.terminationStatus == 0) == lines.isEmpty, "\(text)")
        return lines.map { $0.replacingOccurrences(of: main, with: "main") }
    }

    private static let kind = """
        struct Nobodys: StoreQuery {
            static let limits = QueryLimits(default: 1, maximum: 1)
            let window = TimeWindow.always
            var limit = 1
            func wanted(after rows: [Int64]) -> Int { 1 }
            func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText { "SELECT 1" }
            func row(_ columns: inout ColumnReader) throws(QueryError) -> Int64 { try columns.integer() }
            func merge(_ found: [Int64], into rows: inout [Int64]) { rows += found }
            func page(of rows: [Int64]) -> Page<Int64> { Page(rows, limit: limit) }
        }

        """

    @Test func aQuestionThatForgetsTheTenantDoesNotCompile() throws {
        // Neither one that is asked without, nor a kind of question that has no place for one.
        let errors = try errors(Self.kind + "print(ServicesQuery(in: .always))")
        #expect(errors.count == 2, "\(errors)")
        let texts = ["type 'Nobodys' does not conform to protocol 'StoreQuery'", "missing argument for parameter #1"]
        #expect(texts.allSatisfy { text in errors.contains { $0.contains(text) } }, "\(errors)")
    }

    @Test func oneThatSaysItDoes() throws {
        let kind = Self.kind.replacingOccurrences(of: "var limit", with: "let tenants: TenantScope; var limit")
        #expect(try errors(kind + #"print(ServicesQuery(Tenant("a"), in: .always))"#) == [])
    }
}
