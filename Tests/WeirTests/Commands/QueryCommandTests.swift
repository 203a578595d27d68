import ArgumentParser
import Foundation
import Testing

@testable import Weir

@Suite struct QueryCommandTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    private func search(_ arguments: String...) throws -> SpanSearch {
        let command = try WeirCommand.parseAsRoot(["query", "search"] + arguments)
        return try #require(command as? QuerySearchCommand).search(at: now)
    }

    @Test func everyConditionIsPassedOn() throws {
        let search = try search(
            "--tenant", "acme", "--service", "shop", "--name", "GET /", "--status", "error", "--min-duration", "100ms",
            "--max-duration", "1m", "--attribute", "a.b=c=d", "--attribute", "empty=", "--session", "s",
            "--conversation", "c", "--user", "u", "--call", "k", "--roots", "--since", "1h", "--after",
            SpanCursor(start: 5, row: 6).text)
        #expect(search.tenants == .one(Tenant("acme")) && search.service == "shop" && search.name == "GET /")
        #expect(search.status == 2 && search.minimumDuration == 100_000_000 && search.maximumDuration == 60_000_000_000)
        #expect(search.attributes == [.init(key: "a.b", value: "c=d"), .init(key: "empty", value: "")])
        #expect(search.sessionID == "s" && search.conversationID == "c" && search.userID == "u" && search.callID == "k")
        #expect(search.onlyRoots && search.after == SpanCursor(start: 5, row: 6))
        #expect(search.window == TimeWindow(last: .seconds(3_600), before: now))
    }

    @Test func theLongestDurationIsTaken() throws {
        let longest = "\(Int64.max)ns"
        let search = try search("--min-duration", longest, "--max-duration", longest)
        #expect(search.minimumDuration == .max && search.maximumDuration == .max)
    }

    @Test func aDayOfTheDefaultTenantIsTheDefault() throws {
        let search = try search()
        #expect(search.tenants == .one(Tenant("default")))
        #expect(search.window == TimeWindow(last: .seconds(86_400), before: now))
    }

    @Test func timesAreTakenAsPeopleWriteThem() throws {
        let window = try search("--from", "2026-02-03", "--to", "2026-02-03T06:00:00.5+02:00").window
        #expect(window.from.text == "2026-02-03T00:00:00.000000000Z")
        #expect(window.to?.text == "2026-02-03T04:00:00.500000000Z")
        let before = try search("--to", "2026-02-03T00:00:00Z", "--since", "1h").window
        #expect(before.from.text == "2026-02-02T23:00:00.000000000Z")
        #expect(before.to?.text == "2026-02-03T00:00:00.000000000Z")
    }

    @Test(arguments: [
        ["search", "--status", "bad"], ["search", "--min-duration", "fast"], ["search", "--attribute", "key"],
        ["search", "--attribute", "=v"], ["search", "--from", "yesterday"], ["search", "--to", "1960-01-01"],
        ["search", "--since", "1h", "--from", "2026-02-03"], ["trace", "xyz"], ["trace"],
        ["trace", "00000000000000000000000000000000"], ["usage"], ["usage", "--by", "colour"],
        ["latency", "--step", "0s"], ["search", "--format", "xml"], ["search", "--timeout", "0s"],
    ])
    func usageErrorsExitWith64(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { try WeirCommand.parseAsRoot(["query"] + arguments) }
        #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test func aWrongCursorIsAUsageError() throws {
        let error = #expect(throws: (any Error).self) { try search("--after", "x") }
        #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
    }

    private func place(_ exporters: String, _ arguments: String...) throws -> String {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/weir.yaml"
        let names = exporters.split(separator: ";").map { $0.split(separator: ":")[0] }.joined(separator: ", ")
        let yaml = """
            receivers: { otlp: {} }
            exporters:
              debug: {}
            \(exporters.split(separator: ";").map { "  \($0)\n" }.joined())
            service: { pipelines: { traces: { receivers: [otlp], exporters: [debug\(names.isEmpty ? "" : ", ")\(names)] } } }
            """
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        switch try StoreOptions.parse(["--config", path] + arguments).place() {
        case .sqlite(let directory): return "sqlite \(directory.path)"
        case .postgres(_, let schema): return "postgres \(schema)"
        }
    }

    @Test func theOnlyHotTablesAreFound() throws {
        #expect(try place("sqlite: { directory: hot }") == "sqlite hot")
        #expect(try place("postgres: { schema: mine }") == "postgres mine")
        let both = "sqlite: { directory: hot };postgres/b: { schema: mine }"
        #expect(try place(both, "--exporter", "sqlite") == "sqlite hot")
        #expect(try place(both, "--exporter", "postgres/b") == "postgres mine")
    }

    @Test func whichHotTablesHasToBeSaid() throws {
        // What the configuration leaves open is no wrong command line.
        for (exporters, arguments, wanted, code) in [
            ("sqlite: { directory: hot };postgres/b: { schema: mine }", [], "--exporter with one of", 1),
            ("sqlite: { directory: hot }", ["--exporter", "debug"], "wanted one of sqlite", 64),
            ("", [], "found no exporter", 1),
            ("", ["--exporter", "debug"], "wanted one with hot tables", 64),
        ] as [(String, [String], String, Int32)] {
            let error = #expect(throws: (any Error).self) {
                _ = arguments.isEmpty ? try place(exporters) : try place(exporters, arguments[0], arguments[1])
            }
            #expect(WeirCommand.message(for: try #require(error)).contains(wanted))
            #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == code)
        }
    }
}
