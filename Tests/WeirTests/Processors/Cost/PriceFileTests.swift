import Testing

@testable import Weir

struct PriceFileTests {
    private func problems(_ row: String) -> [String] {
        var reader = YAMLReader(file: "p", environment: [:])
        guard let root = reader.read("models:\n  - { provider: p, model: m, \(row) }\n") else { return ["unread"] }
        var fields = Fields([], file: "p")
        _ = fields.descend(into: root, path: "", PriceFile.init)
        return fields.diagnostics.lines
    }

    @Test(
        arguments: [
            ("prices: { input: 2.5 }", nil), ("prices: { input: 0 }", nil), ("prices: { input: 1333.333333 }", nil),
            ("prices: { input: -1 }", "six decimals"), ("prices: { input: 1e3 }", "six decimals"),
            ("prices: { input: 0.0000001 }", "six decimals"), ("prices: { input: 2000000 }", "six decimals"),
            ("prices: { inptu: 1 }", "is not a known key"), ("prices: {}", "missing or empty"),
            ("prices: { input: 1 }, from: 2026-02-30", "a date such as"),
            ("prices: { input: 1 }, from: 2026-02-01, until: 2026-02-01", "not after from"),
            ("prices: { input: 1 }, from: 2026-02-01, until: 2026-01-31", "not after from"),
            ("prices: { input: 1 }, from: 2026-02-01, until: 2026-02-02", nil),
            ("prices: { input: 1 }, aliases: [a, \"b c\"]", "without blanks"),
            ("prices: { input: 1 }, from: soon", "a date such as"), ("prices: { input: 1 }, from: 2024-02-29", nil),
            ("prices: { input: 1 }, long_context: { input: 2 }", "above or from"),
            ("prices: { input: 1 }, long_context: { above: 10, from: 10, input: 2 }", "above or from"),
            ("prices: { input: 1 }, service_tiers: { batch: { times: 11 } }", "at most 10"),
            ("prices: { input: 1 }, service_tiers: { batch: { times: 0.5, of: [inputs] } }", "one of input"),
            (
                "prices: { input: 1 }, off_peak: { windows: [ { weekdays: [8], hours: [\"00:00-24:00\"] } ] }",
                "a weekday"
            ),
            (
                "prices: { input: 1 }, off_peak: { windows: [ { weekdays: [1], hours: [\"23:00-02:00\"] } ] }",
                "hours such"
            ),
        ] as [(String, String?)])
    func aRowIsReadOrRefusedWithTheReason(row: String, problem: String?) {
        let found = problems(row)
        if let problem {
            #expect(found.count == 1 && found[0].contains(problem) && found[0].hasPrefix("p:2: models[0]"), "\(found)")
        } else {
            #expect(found == [])
        }
    }

    @Test(
        arguments: [
            ("model: a", "model: a", true), ("model: a", "model: A", true),
            ("model: a", "model: b, aliases: [a]", true),
            ("model: a, until: 2026-02-01", "model: a, from: 2026-02-01", false),
            ("model: a, until: 2026-02-02", "model: a, from: 2026-02-01", true),
            ("model: a", "model: a, from: 2026-02-01, until: 2026-02-02", true),
            ("model: a", "model: a, tenant: acme", false), ("model: a", "model: b", false),
            ("model: a, aliases: [a, a]", "model: b", false),
        ])
    func twoRowsOfOneModelAreRefusedUnlessOneFollowsTheOther(one: String, other: String, isRefused: Bool) {
        var reader = YAMLReader(file: "p", environment: [:])
        let rows = [one, other].map { "  - { provider: p, prices: { input: 1 }, \($0) }\n" }.joined()
        var fields = Fields([], file: "p")
        _ = fields.descend(into: reader.read("models:\n" + rows), path: "", PriceFile.init)
        let found = fields.diagnostics.lines
        #expect(found.count == (isRefused ? 1 : 0), "\(found)")
        #expect(found.allSatisfy { $0.contains("two prices of p/a") }, "\(found)")
    }

    @Test func aModelWithBlanksIsRefused() {
        var reader = YAMLReader(file: "p", environment: [:])
        let row = "  - { provider: p, model: \"gpt 4\", prices: { input: 1 } }\n"
        var fields = Fields([], file: "p")
        _ = fields.descend(into: reader.read("models:\n" + row), path: "", PriceFile.init)
        #expect(fields.diagnostics.lines.count == 1 && fields.diagnostics.lines[0].contains("without blanks"))
    }

    @Test func aRateIsWholePicoDollars() throws {
        #expect(try Rates.parse("2.5") == 2_500_000)
        #expect(try Rates.parse("0.000001") == 1)
        #expect(try Rates.parse("0") == 0)
    }

    @Test func moneyIsWrittenInFull() {
        #expect(Cost.text(0) == "0" && Cost.text(1) == "0.000000000001")
        #expect(Cost.text(1_000_000_000_000) == "1" && Cost.text(12_340_000_000_000) == "12.34")
        #expect(Cost.text(.max) == "9223372.036854775807")
    }

    @Test func moreThanCanBeHeldIsNoCost() {
        var cost = Cost()
        let first = cost.add(Int128(Int64.max), to: .input)
        let second = cost.add(1, to: .output)
        let third = cost.add(Int128(Int64.max) + 1, to: .output)
        #expect(first && !second && !third)
        #expect(cost.total == .max && cost[.output] == 0)
    }
}
