import Testing

@testable import Weir

struct BudgetTests {
    private func read(_ row: String) -> (budget: Budget?, problems: [String]) {
        var reader = YAMLReader(file: "b", environment: [:])
        guard let root = reader.read(row) else { return (nil, ["unread"]) }
        var fields = Fields([], file: "b")
        let budget = fields.descend(into: root, path: "") { (fields: inout Fields) in Budget(&fields) }.value
        return (budget, fields.diagnostics.lines)
    }

    @Test func aBudgetIsReadWithItsDefaults() throws {
        let (found, problems) = read("{ scope: tenant, window: day, soft: 5.00, hard: 10.00 }")
        #expect(problems == [])
        let budget = try #require(found)
        #expect(budget.name == "tenant-day" && budget.scope == .tenant && budget.window == .day)
        guard case .thresholds(let soft, let hard) = budget.limits else { return #expect(Bool(false), "no thresholds") }
        #expect(soft == 5_000_000_000_000 && hard == 10_000_000_000_000)
        #expect(read("{ scope: user, hard: 0.000000000001 }").budget?.window == .day)
        #expect(read("{ scope: run, soft: 1 }").budget?.window == .run)
    }

    @Test(arguments: [
        ("{ scope: team, hard: 1 }", "one of tenant, user, agent, model, run"),
        ("{ scope: user, window: week, hard: 1 }", "one of hour, day, month, run"),
        ("{ scope: user }", "wanted soft or hard"), ("{ scope: user, hard: 0 }", "above 0"),
        ("{ scope: user, hard: -1 }", "above 0"), ("{ scope: user, hard: 1e3 }", "above 0"),
        ("{ scope: user, hard: 99999999999 }", "above 0"),
        ("{ scope: user, soft: 2, hard: 2 }", "less than hard, which is 2"),
        ("{ scope: run, window: day, hard: 1 }", "run for run alone"),
        ("{ scope: user, window: run, hard: 1 }", "run for run alone"), ("{ hard: 1 }", "scope"),
        ("{ scope: user, hard: 1, sofd: 1 }", "is not a known key"),
    ])
    func whatIsWrongIsSaid(row: String, problem: String) {
        let found = read(row).problems
        #expect(found.count == 1 && found[0].contains(problem), "\(found)")
    }

    @Test func windowsBeginInUTC() {
        let now = Timestamp(nanoseconds: SampleBatch.fourOClock + 61_000_000_000)
        #expect(BudgetWindow.hour.start(at: now).text == "2026-02-03T04:00:00.000000000Z")
        #expect(BudgetWindow.day.start(at: now).text == "2026-02-03T00:00:00.000000000Z")
        #expect(BudgetWindow.month.start(at: now).text == "2026-02-01T00:00:00.000000000Z")
        #expect(BudgetWindow.run.start(at: now).text == "2026-02-02T04:00:00.000000000Z")
        #expect(BudgetWindow.run.start(at: Timestamp(nanoseconds: 5)).nanoseconds == 0)
    }

    @Test func windowsFollowEachOther() throws {
        var time = Timestamp(nanoseconds: SampleBatch.fourOClock)
        for window in [BudgetWindow.hour, .day, .month] {
            for _ in 0..<60 {
                let start = window.start(at: time)
                time = try #require(window.end(from: start))
                #expect(window.start(at: time) == time && window.before(time) == start)
            }
            #expect(window.before(Timestamp(nanoseconds: 0)) == nil)
        }
        #expect(BudgetWindow.run.end(from: time) == nil && BudgetWindow.run.before(time) == nil)
    }
}
