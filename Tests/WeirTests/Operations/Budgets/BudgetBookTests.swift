import Testing

@testable import Weir

struct BudgetBookTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock + 1_800 * 1_000_000_000)

    private func budget(
        _ scope: BudgetScope, _ window: BudgetWindow, soft: Int64? = nil, hard: Int64? = nil, tenant: String? = nil
    ) -> Budget {
        Budget(
            name: "b", scope: scope, window: window, tenant: tenant, id: nil,
            limits: .thresholds(soft: soft, hard: hard))
    }

    private func after(seconds: UInt64) -> Timestamp {
        Timestamp(nanoseconds: now.nanoseconds + seconds * 1_000_000_000)
    }

    /// Reads what the book wants: `past`, `recent` and `last` are what anybody spent then.
    private func read(
        _ book: inout BudgetBook, at time: Timestamp, past: [Spend] = [], recent: [Spend] = [], baseline: [Spend] = [],
        last: [Spend] = []
    ) -> [BudgetCrossing] {
        let answers = book.wishes(at: time).map { wish in
            let rows =
                switch wish.part {
                case .past: past
                case .recent: recent
                case .baseline: baseline
                case .last: last
                }
            return (wish: wish, page: Page(rows, limit: wish.query.limit))
        }
        return book.note(answers, at: time)
    }

    private func spend(_ pico: Int128, _ id: String = "", tenant: String = "acme") -> Spend {
        Spend(owner: Spend.Owner(tenant: tenant, id: id), pico: pico)
    }

    @Test func whatLiesBackIsReadSeldomAndTheRestOften() {
        var book = BudgetBook([budget(.tenant, .month, hard: 10), budget(.user, .hour, hard: 10)])
        let first = book.wishes(at: now)
        #expect(first.map(\.budget) == [0, 0, 1, 1])
        #expect(
            first.map {
                "\($0.part) \($0.query.window.from.text.prefix(13)) \($0.query.window.to?.text.prefix(13) ?? "")"
            }
                == [
                    "past 2026-02-01T00 2026-02-03T03", "recent 2026-02-03T03 2026-03-01T00",
                    "last 2026-02-03T03 2026-02-03T04", "recent 2026-02-03T04 2026-02-03T05",
                ])
        // A run has no end.
        var runs = BudgetBook([budget(.run, .run, hard: 10)])
        #expect(runs.wishes(at: now).map { $0.query.window.to == nil } == [false, true])
        #expect(book.wishes(at: after(seconds: 59)).map(\.part) == [.recent, .recent])
        #expect(book.wishes(at: after(seconds: 60)).map(\.part) == [.past, .recent, .last, .recent])
        // In the next hour the parts are others.
        #expect(book.wishes(at: after(seconds: 1_800)).map(\.part) == [.past, .recent, .last, .recent])
        book.fail()
        #expect(book.wishes(at: after(seconds: 1_801)).map(\.part) == [.past, .recent, .last, .recent])
        // A clock that was set back.
        #expect(book.wishes(at: now).map(\.part) == [.past, .recent, .last, .recent])
    }

    @Test func twoSpellingsOfOneTextAreAddedUp() {
        let spellings = [spend(6, "\u{E9}"), spend(5, "e\u{301}")]
        var book = BudgetBook([budget(.user, .day, hard: 10)])
        #expect(read(&book, at: now, past: spellings).map(\.spent) == [11])
        var rows = spellings
        SpendQuery(.all, .user, in: .always).merge([spend(1, "\u{E9}")], into: &rows)
        #expect(rows.map(\.pico) == [12])
    }

    @Test func aThresholdIsCrossedOnceInAWindow() {
        var book = BudgetBook([budget(.user, .day, soft: 10, hard: 20)])
        #expect(read(&book, at: now, past: [spend(5, "ann")], recent: [spend(4, "ann"), spend(9, "bob")]) == [])
        let soft = read(&book, at: after(seconds: 61), past: [spend(5, "ann")], recent: [spend(5, "ann")])
        #expect(soft.map(\.key.level) == [.soft] && soft[0].spent == 10 && soft[0].threshold == 10)
        #expect(soft[0].key.id == "ann" && soft[0].key.windowStart.text.hasPrefix("2026-02-03T00"))
        // Until it is known to be recorded, it is said again.
        #expect(
            read(&book, at: after(seconds: 62), recent: [spend(5, "ann")])
                == soft.map { crossing in
                    BudgetCrossing(
                        key: crossing.key, scope: .user, window: .day, threshold: 10, spent: 10, at: after(seconds: 62))
                })
        book.noteRecorded(soft)
        #expect(read(&book, at: after(seconds: 63), recent: [spend(6, "ann")]) == [])
        let hard = read(&book, at: after(seconds: 64), recent: [spend(15, "ann")])
        #expect(hard.map(\.key.level) == [.hard])
        book.noteRecorded(hard)
        #expect(book.levels.map(\.reached) == [1] && book.levels[0].used == 1)
        // The next day it is another window.
        let tomorrow = after(seconds: 86_400)
        #expect(read(&book, at: tomorrow, recent: [spend(10, "ann")]).map(\.key.level) == [.soft])
        #expect(book.statuses(tenant: "acme", ids: [.user: "ann"]).map(\.spent) == [10])
    }

    @Test func whatComesAfterTheEndOfItsWindowIsSaidToo() {
        var book = BudgetBook([budget(.user, .hour, soft: 10, hard: 20), budget(.tenant, .day, hard: 10)])
        #expect(read(&book, at: now, last: [spend(9, "ann")]) == [])
        let late = read(&book, at: after(seconds: 60), recent: [spend(1, "ann")], last: [spend(15, "ann")])
        #expect(late.map(\.key.level) == [.soft] && late[0].spent == 15)
        #expect(late[0].key.windowStart.text.hasPrefix("2026-02-03T03"))
        book.noteRecorded(late)
        #expect(read(&book, at: after(seconds: 61)) == [])
        #expect(book.statuses(tenant: "acme", ids: [.user: "ann"]).first?.spent == 0)
        // Half an hour later it is the hour before that.
        #expect(read(&book, at: after(seconds: 1_800), last: [spend(1, "ann")]) == [])
        // Of a day, as long as an hour after midnight.
        let midnight = UInt64(20 * 3_600 - 1_800)
        #expect(book.wishes(at: after(seconds: midnight)).filter { $0.part == .last }.map(\.budget) == [0, 1])
        #expect(book.wishes(at: after(seconds: midnight + 3_600)).filter { $0.part == .last }.map(\.budget) == [0])
    }

    @Test func aCallIsAllowedUntilTheHardThreshold() {
        var book = BudgetBook([
            budget(.tenant, .day, hard: 100), budget(.user, .day, soft: 10, hard: 20, tenant: "acme"),
            budget(.run, .run, soft: 5),
        ])
        _ = read(
            &book, at: now, recent: [spend(50), spend(12, "ann"), spend(20, "bob"), spend(20, "bob", tenant: "b")])
        func states(_ ids: [BudgetScope: String], tenant: String = "acme") -> [String] {
            book.statuses(tenant: tenant, ids: ids).map { "\($0.scope) \($0.spent ?? -1) \($0.state)" }
        }
        #expect(states([:]) == ["tenant 50 ok"])
        #expect(states([.user: "ann", .run: "ann"]) == ["tenant 50 ok", "user 12 soft", "run 12 soft"])
        #expect(states([.user: "bob"]) == ["tenant 50 ok", "user 20 hard"])
        #expect(states([.user: "new"]) == ["tenant 50 ok", "user 0 ok"])
        // The user's budget is of one tenant only.
        #expect(states([.user: "bob"], tenant: "b") == ["tenant 0 ok"])
    }

    /// An application knows its user's id; where redaction makes tokens, the ledger has only those.
    @Test func aUserIsAskedAboutByWhateverTheTablesCallThem() {
        let board = BudgetBoard()
        var book = BudgetBook([budget(.tenant, .day, hard: 100), budget(.user, .day, soft: 10, hard: 20)])
        _ = read(&book, at: now, recent: [spend(3, "ann"), spend(20, "tok_ann"), spend(12, "bob")])
        board.show(book, of: "cost")
        func states(_ ids: [BudgetScope: String]) -> [String]? {
            board.statuses(tenant: "acme", ids: ids, at: now)?.statuses.map { "\($0.id) \($0.state)" }
        }
        #expect(states([.user: "ann"]) == [" ok", "ann ok"])
        board.call { user, tenant in [user, "tok_\(user)"] }
        #expect(states([.user: "ann"]) == [" ok", "tok_ann hard"])
        #expect(states([.user: "bob"]) == [" ok", "bob soft"])
        #expect(states([:]) == [" ok"])
        board.call(nil)
        #expect(states([.user: "ann"]) == nil)
    }

    @Test func whereMoreSpendThanAreKeptApartNobodyIsTakenToHaveSpentNothing() {
        var book = BudgetBook([budget(.user, .hour, hard: 1_000)])
        let many = (0...BudgetBook.maximumOwners).map { spend(Int128(999 - $0 / 100), "u\($0)") }
        _ = read(&book, at: now, recent: many)
        #expect(book.statuses(tenant: "acme", ids: [.user: "u1"]).map(\.state) == [.ok])
        let unknown = book.statuses(tenant: "acme", ids: [.user: "x"])
        #expect(unknown.map(\.state) == [.untracked] && unknown[0].spent == nil)
        _ = read(&book, at: after(seconds: 120), recent: Array(many.prefix(5)))
        #expect(book.statuses(tenant: "acme", ids: [.user: "x"]).map(\.state) == [.ok])
    }

    @Test func aSpikeIsMoreThanTwiceWhatIsUsual() {
        let spikes = Budget(
            name: "spike", scope: .tenant, window: .hour, tenant: nil, id: nil,
            limits: .spike(times: 2_000_000, above: 1_000))
        var book = BudgetBook([spikes])
        // 24,000 in a day are 1,000 in an hour.
        let usual = [spend(24_000), spend(24_000, tenant: "b"), spend(2, tenant: "c")]
        let crossings = read(
            &book, at: now, recent: [spend(1_999), spend(2_000, tenant: "b"), spend(999, tenant: "c")], baseline: usual)
        #expect(crossings.map(\.key.tenant) == ["b"] && crossings[0].threshold == 2_000)
        #expect(crossings[0].key.level == .spike)
        book.noteRecorded(crossings)
        #expect(read(&book, at: after(seconds: 1), recent: [spend(1_000, tenant: "c")]).map(\.threshold) == [1_000])
        #expect(book.statuses(tenant: "b", ids: [:]) == [])
    }

    @Test func ofARunThereIsOneCrossingHoweverLongItTakes() {
        var book = BudgetBook([budget(.run, .run, hard: 5)])
        let first = read(&book, at: now, recent: [spend(5, "t")])
        book.noteRecorded(first)
        #expect(first.map(\.key.windowStart.nanoseconds) == [0])
        #expect(read(&book, at: after(seconds: 7_200), past: [spend(5, "t")], recent: [spend(1, "t")]) == [])
    }

    @Test func aBudgetOfOneUserIsTheirsByWhateverTheTablesCallThem() {
        let ofAnn = Budget(
            name: "b", scope: .user, window: .day, tenant: nil, id: "ann",
            limits: .thresholds(soft: nil, hard: 10), top: 5)
        var book = BudgetBook([ofAnn])
        let answers = book.wishes(at: now).map { wish in
            let rows = [spend(20, "acme_ann"), spend(30, "bob"), spend(40, "acme_ann", tenant: "b"), spend(5, "ann")]
            return (wish: wish, page: Page(wish.part == .recent ? rows : [], limit: wish.query.limit))
        }
        let crossings = book.note(answers, at: now) { [$0, "\($1)_\($0)"] }
        #expect(crossings.map(\.key.id) == ["acme_ann"])
        #expect(book.top.map(\.owner.id) == ["acme_ann", "ann"])
        #expect(book.levels.map(\.reached) == [1])
        #expect(book.statuses(tenant: "acme", ids: [.user: "acme_ann"]).map(\.state) == [.hard])
        #expect(book.statuses(tenant: "acme", ids: [.user: "bob"]) == [])
        #expect(book.statuses(tenant: "b", ids: [.user: "acme_ann"]) == [])
    }
}
