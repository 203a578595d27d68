import Testing

@testable import Weir

/// Crossings of budgets are kept by the budget's name: of two with one name in one database only the first would be
/// said.
@Suite struct PipelineBudgetsTests {
    private func check(_ second: String, _ exporter: String = "sqlite") -> [String] {
        let text = """
            receivers: { otlp: }
            processors:
              cost/a: { prices: "\(PriceVectorTests.file)", budgets: [ { scope: tenant, hard: 1 } ] }
              cost/b: { prices: "\(PriceVectorTests.file)", \(second) }
            exporters:
              sqlite: { directory: hot }
              sqlite/same: { directory: ./hot/ }
              sqlite/other: { directory: cold }
              postgres: { connection: "host=db" }
              postgres/same: { connection: "host=db" }
              postgres/other: { connection: "host=db", schema: other }
            service:
              pipelines:
                traces/a: { receivers: [otlp], processors: [cost/a], exporters: [\(exporter.prefix { $0 != "/" })] }
                traces/b: { receivers: [otlp], processors: [cost/b], exporters: [\(exporter)] }
                traces/c: { receivers: [otlp], processors: [cost/b], exporters: [\(exporter)] }
            """
        return CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue).diagnostics.lines
            .filter { !$0.contains("warning") }
    }

    @Test(arguments: ["sqlite", "sqlite/same", "postgres", "postgres/same"])
    func twoBudgetsOfTheSameTablesHaveTwoNames(exporter: String) {
        let problem =
            "found cost/b with the budget \"tenant-day\", which cost/a has in the tables of \(exporter); wanted a name "
            + "for each"
        #expect(
            check("budgets: [ { scope: tenant, hard: 2 } ]", exporter) == [
                "f:15: service.pipelines.traces/b.processors: \(problem)",
                "f:16: service.pipelines.traces/c.processors: \(problem)",
            ])
        #expect(check("budgets: [ { scope: tenant, hard: 2, name: b } ]", exporter) == [])
        #expect(check("spikes: { times: 2 }", exporter) == [])
    }

    @Test(arguments: ["sqlite/other", "postgres/other"])
    func inOtherTablesItIsAnotherBudget(exporter: String) {
        #expect(check("budgets: [ { scope: tenant, hard: 2 } ]", exporter) == [])
    }
}
