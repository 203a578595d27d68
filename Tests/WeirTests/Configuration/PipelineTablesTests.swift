import Foundation
import Testing

@testable import Weir

/// Of exporters with the same tables, the shortest retention would remove everybody's days.
@Suite struct PipelineTablesTests {
    private func checked(_ text: String) -> CheckedConfiguration {
        CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue)
    }

    private func errors(_ other: String) -> [String] {
        checked(
            """
            receivers: { otlp: }
            exporters:
              sqlite: { directory: hot, retention: 30d, retention_classes: { a: { tenants: [x], retention: 7d } } }
              postgres: { connection: "host=db", schema: s, retention_classes: { a: { tenants: [x, y] } } }
              \(other)
            service:
              pipelines:
                traces: { receivers: [otlp], exporters: [sqlite, postgres] }
                traces/b: { receivers: [otlp], exporters: [\(other.prefix { $0 != ":" })] }
            """
        ).diagnostics.lines(of: .error)
    }

    @Test(
        arguments: [
            ("sqlite/b: { directory: ./hot/, retention: 1d }", "retention, retention_classes"),
            (
                "sqlite/b: { directory: hot, retention_classes: { z: { tenants: [x], retention: 6d } } }",
                "retention_classes"
            ),
            (
                "sqlite/b: { directory: x/../hot, wait_for_archive: false, "
                    + "retention_classes: { a: { tenants: [x], retention: 7d } } }",
                "wait_for_archive"
            ),
            (
                "postgres/b: { connection: \"host=db\", schema: s, retention: 31d }",
                "retention, retention_classes"
            ),
        ] as [(String, String)])
    func rowsOfTheSameTablesGoAtOneTime(other: String, keys: String) {
        let keeper = other.prefix { $0 != "/" }
        #expect(
            errors(other) == [
                "f:9: service.pipelines.traces/b.exporters: found \(keeper)/b and \(keeper) with the same tables and "
                    + "another \(keys); wanted the same, since what one removes is gone for both"
            ])
    }

    @Test(arguments: [
        "sqlite/b: { directory: hot, retention: 30d, retention_classes: { z: { tenants: [x], retention: 7d } } }",
        "sqlite/b: { directory: cold, retention: 1d }",
        "postgres/b: { connection: \"host=db\", schema: s, retention_classes: { b: { tenants: [y, x] } } }",
        "postgres/b: { connection: \"host=db\", schema: t, retention: 1d }",
        "postgres/b: { connection: \"host=other\", schema: s, retention: 1d }",
    ])
    func otherTablesAndTheSameTimesAreFine(other: String) {
        #expect(errors(other) == [])
    }

    // MARK: Teams

    private let teams: TemporaryDirectory

    init() throws {
        teams = try TemporaryDirectory()
    }

    private func write(_ name: String, _ exporters: String, uses exporter: String) throws {
        try """
        owner: team@example.com
        \(exporters)
        pipelines: { traces: { receivers: [otlp], exporters: [\(exporter)], tenants: [\(name)] } }
        """.write(toFile: "\(teams.path)/\(name).yaml", atomically: true, encoding: .utf8)
    }

    private func main() -> CheckedConfiguration {
        checked(
            """
            receivers: { otlp: }
            exporters: { sqlite: { directory: hot } }
            service: { pipelines_directory: \(teams.path) }
            """)
    }

    @Test func aTeamDoesNotShortenWhatAllOthersKeep() throws {
        try write("shop", "", uses: "sqlite")
        let own = "exporters: { sqlite: { directory: hot, retention: 1d } }"
        try write("evil", "overrides: [sqlite]\n\(own)", uses: "sqlite")
        let checked = main()
        #expect(checked.diagnostics.lines(of: .error).count == 1)
        #expect(
            checked.diagnostics.lines(of: .error).first?.contains(
                "found sqlite/@evil and sqlite with the same tables and another retention") == true)
        #expect(checked.startable?.service.pipelines.map(\.id.description) == ["traces/@shop"])
    }

    /// The file that comes first is right, and the other one, which is not any more, would be kept as it was.
    @Test func norDoesAReloadLetItBesideWhatIsKept() throws {
        try write("shop", "exporters: { sqlite/own: { directory: own } }", uses: "sqlite/own")
        let before = try #require(main().configuration)
        try write("evil", "exporters: { sqlite/own: { directory: own, retention: 1d } }", uses: "sqlite/own")
        let after = try #require(main().partial)
        #expect(after.service.pipelines.map(\.id.description) == ["traces/@evil"])
        #expect(
            after.conflicts(keeping: before) == [
                "service.pipelines.traces/@shop: found sqlite/own@evil and sqlite/own@shop with the same "
                    + "tables and another retention; wanted the same, since what one removes is gone for both"
            ])
    }
}
