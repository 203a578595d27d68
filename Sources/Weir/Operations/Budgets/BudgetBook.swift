/// What was spent of some budgets, as far as the tables say so. No clock, no I/O.
///
/// Sums are read in two parts: what lies more than an hour back, seldom; and the rest, often.
struct BudgetBook: Sendable {
    /// Those of a budget who are kept apart: those who spent most, so that nobody near a threshold is missing.
    static let maximumOwners = 10_000
    /// Between two readings of what lies back.
    static let interval: UInt64 = 60_000_000_000
    /// After the end of a window calls that began in it are still waited for so long: those that last past it, and
    /// those that a sender or a journal has kept.
    static let lateness: UInt64 = BudgetWindow.hourLength

    enum Part: Sendable {
        case past, recent
        /// The day before this hour.
        case baseline
        /// The window before this one.
        case last
    }

    /// What is to be read.
    struct Wish: Sendable {
        let budget: Int
        let part: Part
        let query: SpendQuery
    }

    fileprivate struct Account: Sendable {
        let budget: Budget
        var start = Timestamp(nanoseconds: 0)
        /// Where the recent part begins.
        var split = Timestamp(nanoseconds: 0)
        var past: [Spend.Owner: Int128] = [:]
        var recent: [Spend.Owner: Int128] = [:]
        var baseline: [Spend.Owner: Int128] = [:]
        /// When the window before this one began, while calls of it are waited for.
        var lastStart: Timestamp?
        var last: [Spend.Owner: Int128] = [:]
        /// When the past was read; nil before.
        var readAt: Timestamp?
        /// Somebody who spent something then may be missing.
        var pastIsFull = false
        var recentIsFull = false
        /// What the tables call the only user that it is for, by tenant.
        var names: [String: Set<String>] = [:]

        var isFull: Bool { pastIsFull || recentIsFull }

        var owners: Set<Spend.Owner> { Set(past.keys).union(recent.keys) }

        func spent(_ owner: Spend.Owner) -> Int128 { (past[owner] ?? 0) + (recent[owner] ?? 0) }

        func applies(to owner: Spend.Owner) -> Bool {
            guard (budget.tenant ?? owner.tenant) == owner.tenant else { return false }
            guard let id = budget.id, id != owner.id else { return true }
            return names[owner.tenant]?.contains(owner.id) ?? false
        }

        /// Finds out what is not known yet.
        mutating func learn(_ names: BudgetBoard.NamesIfKnown) {
            guard budget.scope == .user, let id = budget.id else { return }
            let tenants = Set(owners.union(last.keys).map(\.tenant)).filter {
                (budget.tenant ?? $0) == $0 && self.names[$0] == nil
            }
            for tenant in tenants { self.names[tenant] = names(id, tenant).map { Set($0) } }
        }
    }

    private var accounts: [Account]
    private var known: Set<BudgetCrossing.Key> = []
    /// When everything had been read for the last time; nil before the first.
    private(set) var readAt: Timestamp?

    init(_ budgets: [Budget]) {
        accounts = budgets.map { Account(budget: $0) }
    }

    /// What is to be read now. ``note(_:at:)`` wants all of it at once.
    mutating func wishes(at now: Timestamp) -> [Wish] {
        let hour = now.nanoseconds / BudgetWindow.hourLength * BudgetWindow.hourLength
        let recentStart = Timestamp(nanoseconds: hour - min(hour, BudgetWindow.hourLength))
        var wishes: [Wish] = []
        for index in accounts.indices {
            let (scope, window) = (accounts[index].budget.scope, accounts[index].budget.window)
            // Whoever is of another tenant takes nobody's place.
            let tenants = accounts[index].budget.tenant.map { TenantScope.one(Tenant($0)) } ?? .all
            let start = window.start(at: now)
            let split = max(start, recentStart)
            func add(_ part: Part, from: Timestamp, to: Timestamp?) {
                var query = SpendQuery(tenants, scope, in: TimeWindow(from: from, to: to))
                query.limit = Self.maximumOwners
                wishes.append(Wish(budget: index, part: part, query: query))
            }
            let isCurrent = accounts[index].start == start && accounts[index].split == split
            if !isCurrent || !isFresh(accounts[index].readAt, at: now) {
                if split > start {
                    add(.past, from: start, to: split)
                } else {
                    (accounts[index].past, accounts[index].pastIsFull) = ([:], false)
                }
                if case .spike = accounts[index].budget.limits {
                    let day = BudgetWindow.hourLength * 24
                    add(
                        .baseline, from: Timestamp(nanoseconds: hour - min(hour, day)), to: Timestamp(nanoseconds: hour)
                    )
                }
                accounts[index].lastStart = accounts[index].budget.lateWindow(before: start, at: now)
                if let last = accounts[index].lastStart {
                    add(.last, from: last, to: start)
                } else {
                    accounts[index].last = [:]
                }
                accounts[index].readAt = now
            }
            accounts[index].start = start
            accounts[index].split = split
            // What a clock that is ahead says of the next window is spent in the next one.
            add(.recent, from: split, to: window.end(from: start))
        }
        return wishes
    }

    private func isFresh(_ readAt: Timestamp?, at now: Timestamp) -> Bool {
        guard let readAt, readAt <= now else { return false }
        return now.nanoseconds - readAt.nanoseconds < Self.interval
    }

    /// What was wished for could not be read: everything is to be read again.
    mutating func fail() {
        for index in accounts.indices { accounts[index].readAt = nil }
    }

    /// - Parameter names: what the tables call a user, of whom there is a budget by id.
    /// - Returns: crossings that are not known to be recorded.
    mutating func note(
        _ answers: [(wish: Wish, page: Page<Spend>)], at now: Timestamp,
        names: BudgetBoard.NamesIfKnown = { user, _ in [user] }
    ) -> [BudgetCrossing] {
        for (wish, page) in answers {
            // Two ids of a database may be one text here: é has two spellings.
            let sums = Dictionary(page.rows.map { ($0.owner, $0.pico) }, uniquingKeysWith: +)
            switch wish.part {
            case .past:
                accounts[wish.budget].past = sums
                accounts[wish.budget].pastIsFull = page.hasMore
            case .recent:
                accounts[wish.budget].recent = sums
                accounts[wish.budget].recentIsFull = page.hasMore
            case .baseline: accounts[wish.budget].baseline = sums
            case .last: accounts[wish.budget].last = sums
            }
        }
        readAt = now
        for index in accounts.indices { accounts[index].learn(names) }
        let crossings = accounts.flatMap { Self.crossings(of: $0, at: now) }
        known.formIntersection(crossings.map(\.key))
        return crossings.filter { !known.contains($0.key) }
    }

    mutating func noteRecorded(_ crossings: [BudgetCrossing]) {
        known.formUnion(crossings.map(\.key))
    }

    private static func crossings(of account: Account, at now: Timestamp) -> [BudgetCrossing] {
        let start = account.budget.window == .run ? Timestamp(nanoseconds: 0) : account.start
        let current = account.owners.flatMap { owner in
            account.crossings(of: owner, in: start, spent: account.spent(owner), at: now)
        }
        guard let lastStart = account.lastStart else { return current }
        return current
            + account.last.flatMap { owner, spent in
                account.crossings(of: owner, in: lastStart, spent: spent, at: now)
            }
    }
}

extension Budget {
    /// When the window before the one that begins at `start` began, where calls of it may still come. Of spikes nobody
    /// knows what was usual then.
    fileprivate func lateWindow(before start: Timestamp, at now: Timestamp) -> Timestamp? {
        guard case .thresholds = limits, now.nanoseconds - start.nanoseconds < BudgetBook.lateness else { return nil }
        return window.before(start)
    }
}

extension BudgetBook.Account {
    fileprivate func crossings(
        of owner: Spend.Owner, in start: Timestamp, spent: Int128, at now: Timestamp
    ) -> [BudgetCrossing] {
        guard applies(to: owner) else { return [] }
        return thresholds(of: owner).filter { $0.amount <= spent }.map { level, amount in
            BudgetCrossing(
                key: BudgetCrossing.Key(
                    budget: budget.name, tenant: owner.tenant, id: owner.id, windowStart: start, level: level),
                scope: budget.scope, window: budget.window, threshold: amount, spent: spent, at: now)
        }
    }

    fileprivate func thresholds(of owner: Spend.Owner) -> [(level: BudgetCrossing.Level, amount: Int128)] {
        switch budget.limits {
        case .thresholds(let soft, let hard):
            return [soft.map { (.soft, Int128($0)) }, hard.map { (.hard, Int128($0)) }].compactMap(\.self)
        case .spike(let times, let above):
            let usual = (baseline[owner] ?? 0) * Int128(times) / (24 * Int128(RateChange.one))
            return [(.spike, max(usual, Int128(above)))]
        }
    }
}

// MARK: - Before a call

extension BudgetBook {
    /// What is to be said of one budget to who is about to make a call.
    struct Status: Sendable, Equatable {
        enum State: String, Sendable, CaseIterable {
            /// Below every threshold.
            case ok
            case soft
            /// Nobody knows: more have spent something than are kept apart, and others spent more.
            case untracked
            case hard
        }

        let name: String
        let scope: BudgetScope
        let id: String
        let window: BudgetWindow
        let windowStart: Timestamp
        /// In 10⁻¹² USD; nil is unknown.
        let spent: Int128?
        let soft: Int128?
        let hard: Int128?
        let state: State

        func isStricter(than other: Status) -> Bool {
            let states = State.allCases
            guard let mine = states.firstIndex(of: state), let theirs = states.firstIndex(of: other.state) else {
                return false
            }
            return (mine, spent ?? 0) > (theirs, other.spent ?? 0)
        }
    }

    /// The budgets that are about the tenant, and about these users, agents, models and runs.
    func statuses(tenant: String, ids: [BudgetScope: String]) -> [Status] {
        accounts.compactMap { account -> Status? in
            let budget = account.budget
            guard case .thresholds(let soft, let hard) = budget.limits,
                let id = budget.scope == .tenant ? "" : ids[budget.scope]
            else { return nil }
            let owner = Spend.Owner(tenant: tenant, id: id)
            guard account.applies(to: owner) else { return nil }
            let isKept = account.past[owner] != nil || account.recent[owner] != nil
            let spent = isKept || !account.isFull ? account.spent(owner) : nil
            let reached = account.thresholds(of: owner).last { $0.amount <= spent ?? 0 }?.level
            let state: Status.State =
                switch reached {
                case .hard: .hard
                case .soft, .spike: .soft
                case nil: spent == nil ? .untracked : .ok
                }
            return Status(
                name: budget.name, scope: budget.scope, id: id, window: budget.window, windowStart: account.start,
                spent: spent, soft: soft.map { Int128($0) }, hard: hard.map { Int128($0) }, state: state)
        }
    }

    /// Those who have spent most of each budget that names some, with what they spent, in 10⁻¹² USD.
    var top: [(budget: Budget, owner: Spend.Owner, spent: Int128)] {
        accounts.filter { $0.budget.top > 0 }.flatMap { account in
            account.owners.filter(account.applies)
                .map { (budget: account.budget, owner: $0, spent: account.spent($0)) }
                .sorted { ($0.spent, $1.owner.id) > ($1.spent, $0.owner.id) }
                .prefix(account.budget.top)
        }
    }

    /// For each budget, how many are at a threshold or over it now, and the largest part of one that anybody used.
    var levels: [(name: String, reached: Int, used: Double)] {
        accounts.map { account in
            let owners = account.owners.filter(account.applies)
            let used = owners.compactMap { owner in
                account.thresholds(of: owner).last.map { Double(account.spent(owner)) / Double($0.amount) }
            }
            let reached = owners.count { owner in
                account.thresholds(of: owner).contains { $0.amount <= account.spent(owner) }
            }
            return (account.budget.name, reached, used.max() ?? 0)
        }
    }
}
