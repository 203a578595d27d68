import Testing

@testable import Weir

struct RetentionTests {
    @Test func aDayGoesOnceItsEndIsOlderThanTheRetention() {
        let retention = Retention(.seconds(2 * 86_400))
        let days = [Day(number: 99), Day(number: 97), Day(number: 98), Day(number: 100)]
        let end = Day(number: 101).start.nanoseconds
        #expect(retention.expired(days, at: Timestamp(nanoseconds: end)).map(\.number) == [97, 98])
        #expect(retention.expired(days, at: Timestamp(nanoseconds: end - 1)).map(\.number) == [97])
        #expect(retention.expired(days, at: Timestamp(nanoseconds: 5)).isEmpty)
    }

    @Test func aDayGoesWithTheTenantsThatAreKeptLongest() throws {
        let rules = [
            Retention.Rule(tenants: ["bank"], duration: .seconds(4 * 86_400)),
            Retention.Rule(tenants: ["guest"], duration: .seconds(86_400)),
        ]
        let retention = Retention(.seconds(2 * 86_400), classes: rules)
        let now = Day(number: 101).start
        let days = (95...100).map { Day(number: $0) }
        #expect(retention.expired(days, at: now).map(\.number) == [95, 96])
        #expect(retention.partlyExpired(days, at: now).map(\.number) == [97, 98, 99])
        for (tenant, last) in [("bank", 96), ("guest", 99), ("other", 98)] {
            #expect(days.filter { retention.isOver($0, for: tenant, at: now) }.last?.number == last, "\(tenant)")
        }
        #expect(Retention(.seconds(86_400)).partlyExpired(days, at: now) == [])
    }

    @Test func aTenantIsInOneClass() throws {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(
            """
            directory: d
            retention_classes: { a: { tenants: [x], retention: 7d }, b: { tenants: [x, y] }, c: { retention: 1h } }
            """)
        var top = Fields([], file: "f")
        _ = top.descend(into: root, path: "") { $0.read(SQLiteConfiguration.self) }
        let problems = top.diagnostics.entries.map(\.description).joined(separator: "\n")
        #expect(problems.contains("in two classes, wanted one"))
        #expect(problems.contains("retention_classes.c.tenants") && problems.contains("retention_classes.c.retention"))
    }

    @Test func aDayIsNamedByItsDate() {
        let day = Day(Timestamp(nanoseconds: 1_700_000_000_000_000_000))
        #expect(day.text == "2023-11-14" && day.compact == "20231114" && (day + 17).text == "2023-12-01")
    }
}
