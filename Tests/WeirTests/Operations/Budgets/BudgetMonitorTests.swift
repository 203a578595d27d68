import NIOHTTP1
import Testing

@testable import Weir

/// Budgets over real tables, to the log and a webhook.
@Suite(.hangLimit) struct BudgetMonitorTests {
    private typealias Sample = QuerySample

    private let log = LogCapture()
    private let metrics = MetricRegistry()
    private let clock = TestClock(SampleBatch.fourOClock + 60_000_000_000)
    private let board = BudgetBoard()

    private func monitor(
        _ sample: QuerySample, soft: Int64 = 1_000_000_000_000, hard: Int64 = 2_000_000_000_000,
        webhook: BudgetWebhook? = nil
    ) -> BudgetMonitor {
        let budgets = [BudgetScope.tenant, .user].map {
            Budget(
                name: "\($0)", scope: $0, window: .day, tenant: nil, id: nil,
                limits: .thresholds(soft: soft, hard: hard))
        }
        return BudgetMonitor(
            "cost", budgets, webhook, reader: sample.store.reader(.patient), log: sample.store.budgetLog, board: board,
            Context(id: ComponentID(type: "cost"), logger: log.logger, metrics: metrics),
            clock: { [clock] in clock.now })
    }

    private func webhook(_ url: String) throws -> BudgetWebhook {
        var reader = YAMLReader(file: "w", environment: [:])
        let found = reader.read("{ url: \"\(url)/hook\", headers: { X-Key: secret }, timeout: 5s }")
        let root = try #require(found)
        var fields = Fields([], file: "w")
        let webhook = fields.descend(into: root, path: "") { (fields: inout Fields) in BudgetWebhook(&fields) }.value
        #expect(fields.diagnostics.lines == [])
        return webhook
    }

    @Test(arguments: HotDatabase.allCases)
    func eachCrossingIsSaidOnceAlsoAfterARestart(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.call(1, model: "m", user: "ann", cost: 0.75)])
        var first = monitor(sample)
        await first.read()
        #expect(log.lines == [])
        try await sample.add([Sample.call(2, start: -3_600_000_000_000, model: "m", user: "ann", cost: 0.25)])
        // What lies back is read once a minute.
        clock.advance(seconds: 61)
        await first.read()
        let said = [
            "warning: a budget was used up to a threshold budget=tenant reached=soft spent=1.000000000000"
                + " tenant=default threshold=1.000000000000 window_start=2026-02-03T00:00:00.000000000Z",
            "warning: a budget was used up to a threshold budget=user reached=soft spent=1.000000000000"
                + " tenant=default threshold=1.000000000000 window_start=2026-02-03T00:00:00.000000000Z",
        ]
        #expect(log.lines == said)
        await first.read()
        first = monitor(sample)
        await first.read()
        #expect(log.lines == said)
        try await sample.add([Sample.call(3, model: "m", cost: 1)])
        await first.read()
        #expect(log.lines.count == 3 && log.lines[2].contains("budget=tenant reached=hard spent=2.000000000000"))
        #expect(metrics.render().contains(#"weir_budget_crossings{budget="tenant",cost="cost",level="hard"} 1"#))
        #expect(metrics.render().contains(#"weir_budget_used_ratio{budget="user",cost="cost"} 0.5"#))
        let alerts = "SELECT tenant, alert_type, severity, message, resolved_at FROM alert_history ORDER BY message"
        #expect(
            try sample.lasting(alerts) == [
                "default|budget|warning|budget tenant, tenant: spent 1 of 1 USD|NULL",
                "default|budget|critical|budget tenant, tenant: spent 2 of 2 USD|NULL",
                "default|budget|warning|budget user, user ann: spent 1 of 1 USD|NULL",
            ])
    }

    @Test func thoseWhoSpentMostHaveASeriesAndNobodyElse() async throws {
        let sample = try Sample(.sqlite)
        let budget = Budget(
            name: "users", scope: .user, window: .day, tenant: nil, id: nil,
            limits: .thresholds(soft: 1_000_000_000_000_000, hard: nil), top: 2)
        let monitor = BudgetMonitor(
            "cost", [budget], nil, reader: sample.store.reader(.patient), log: sample.store.budgetLog, board: board,
            Context(id: ComponentID(type: "cost"), logger: log.logger, metrics: metrics),
            clock: { [clock] in clock.now })
        func top() async -> [String] {
            await monitor.read()
            return metrics.render().split(separator: "\n").filter { $0.hasPrefix("weir_budget_top_spent_dollars{") }.map
            {
                String($0)
            }
        }
        func line(_ user: String, _ dollars: String) -> String {
            #"weir_budget_top_spent_dollars{budget="users",cost="cost",id="\#(user)",scope="user",tenant="default"} "#
                + dollars
        }
        for (id, user, dollars) in [(1, "ann", 3.0), (2, "bob", 1), (3, "cid", 2)] as [(UInt64, String, Double)] {
            try await sample.add([Sample.call(id, model: "m", user: user, cost: dollars)])
        }
        #expect(await top() == [line("ann", "3"), line("cid", "2")])
        try await sample.add([Sample.call(4, model: "m", user: "bob", cost: 1.5)])
        #expect(await top() == [line("ann", "3"), line("bob", "2.5")])
    }

    @Test(arguments: HotDatabase.allCases)
    func theWebhookIsToldUntilItTakesIt(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.call(1, model: "m", user: "ann", cost: 1.5)])
        let client = try HTTPClient(tls: nil)
        try await ScriptedServer.serve(HTTPResponse(500, "text/plain", [])) { server in
            let webhook = try webhook(server.url)
            let monitor = monitor(sample, webhook: webhook)
            await monitor.read()
            _ = await monitor.send(to: webhook, by: client)
            #expect(server.requests.count == 1)
        }
        try await ScriptedServer.serve(HTTPResponse(204, "text/plain", [])) { server in
            let webhook = try webhook(server.url)
            // Another process, which has read nothing yet.
            let monitor = monitor(sample, webhook: webhook)
            _ = await monitor.send(to: webhook, by: client)
            _ = await monitor.send(to: webhook, by: client)
            #expect(server.requests.map(\.path) == ["/hook", "/hook"])
            #expect(server.requests.allSatisfy { $0.headers["x-key"] == "secret" })
            let bodies = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
            let body =
                #"{"budget":"tenant","level":"soft","tenant":"default","scope":"tenant","id":null,"window":"day","#
                + #""window_start":"2026-02-03T00:00:00.000000000Z","threshold":"1.000000000000","#
                + #""spent":"1.500000000000","crossed_at":"2026-02-03T04:01:00.000000000Z"}"#
            #expect(bodies.contains(body), "\(bodies)")
            // Crossings of a day ago are told to nobody.
            try await sample.add([Sample.call(2, model: "m", user: "ann", cost: 1)])
            await monitor.read()
            clock.advance(seconds: 86_401)
            _ = await monitor.send(to: webhook, by: client)
            #expect(server.requests.count == 2)
        }
        await client.shutDown()
        #expect(!log.lines.contains { $0.contains("secret") })
    }

    @Test func aWebhookIsToldOfItsOwnBudgetsOnly() async throws {
        let sample = try Sample(.sqlite)
        try await sample.add([Sample.call(1, model: "m", user: "ann", cost: 1.5)])
        _ = try await sample.store.budgetLog.record([
            BudgetCrossing(
                key: BudgetCrossing.Key(
                    budget: "of-others", tenant: "default", id: "", windowStart: clock.now, level: .soft),
                scope: .tenant, window: .day, threshold: 1, spent: 2, at: clock.now)
        ])
        let client = try HTTPClient(tls: nil)
        try await ScriptedServer.serve(HTTPResponse(204, "text/plain", [])) { server in
            let webhook = try webhook(server.url)
            let monitor = monitor(sample, webhook: webhook)
            await monitor.read()
            _ = await monitor.send(to: webhook, by: client)
            let bodies = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies.count == 2 && !bodies.contains { $0.contains("of-others") })
        }
        await client.shutDown()
    }

    @Test(arguments: HotDatabase.allCases)
    func whoAsksIsAnsweredFromMemory(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.call(1, model: "m", user: "ann lee", cost: 2)])
        let route = OperationsRoute.budgets(board, clock: { [clock] in clock.now })
        func ask(_ query: String, _ identity: Identity? = nil) async -> (status: UInt, body: String) {
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: OperationsRoute.budgetsPath + query)
            let request = HTTPRequest(head: head, body: .empty, startedAt: .now(), identity: identity)
            let response = await route.answer(request)
            return (response.status.code, String(buffer: response.body))
        }
        let monitor = monitor(sample)
        #expect(await ask("").body.contains(#""budgets":[]"#))
        let run = Task { await monitor.run() }
        try await eventually("it was read") {
            board.statuses(tenant: "default", ids: [:], at: clock.now)?.statuses.count == 1
        }
        let ann = await ask("?user=ann%20lee")
        #expect(ann.status == 200 && ann.body.hasPrefix(#"{"allowed":false,"tenant":"default","as_of":"2026"#))
        #expect(ann.body.contains(#""name":"user","state":"hard","scope":"user","id":"ann lee","window":"day""#))
        #expect(ann.body.contains(#""spent":"2.000000000000","soft":"1.000000000000","hard":"2.000000000000"}"#))
        #expect(await ask("?scope=user&id=ann+lee").body == ann.body)
        let other = Identity(name: "k", tenant: "acme", scopes: [.read])
        #expect(await ask("?user=ann+lee", other).body.hasPrefix(#"{"allowed":true,"tenant":"acme""#))
        #expect(await ask("?tenant=default", other).status == 403)
        #expect(await ask("?tenant=acme", other).status == 200)
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        for uri in ["?run=\(trace.uppercased())", "?scope=run&id=\(trace)"] {
            #expect(try BudgetQuestion(parsing: OperationsRoute.budgetsPath + uri, nil).ids == [.run: trace])
        }
        let noTraces: [String] = ["abc", trace.dropLast() + "x", trace + "0", String(repeating: "0", count: 32)]
        for wrong in noTraces {
            #expect(await ask("?run=\(wrong)").status == 400, "\(wrong)")
            #expect(await ask("?scope=run&id=\(wrong)").status == 400, "\(wrong)")
        }
        for wrong in ["?team=x", "?user=", "?user", "?user=%zz", "?user=%ff", "?scope=team&id=x", "?scope=user"] {
            #expect(await ask(wrong).status == 400, "\(wrong)")
        }
        #expect(await ask("?user=" + String(repeating: "x", count: 257)).status == 400)
        run.cancel()
        await run.value
        // What nobody has read for minutes is not what was spent.
        clock.advance(seconds: 301)
        #expect(await ask("").status == 503)
    }

    @Test func tablesThatCannotBeReadAreSaidAndTriedAgain() async throws {
        let store = HotTables.postgres(connection: "host=/nowhere", schema: "weir")
        let monitor = BudgetMonitor(
            "cost",
            [
                Budget(
                    name: "b", scope: .tenant, window: .day, tenant: nil, id: nil,
                    limits: .thresholds(soft: 1, hard: nil))
            ],
            nil, reader: store.reader(.patient), log: store.budgetLog, board: board,
            Context(id: ComponentID(type: "cost"), logger: log.logger, metrics: metrics),
            clock: { [clock] in clock.now })
        let run = Task { await monitor.run() }
        try await eventually("it is counted") {
            metrics.counter("weir_budget_failures", help: "", labels: ["cost": "cost"]).value > 0
        }
        #expect(board.statuses(tenant: "default", ids: [:], at: clock.now) == nil)
        run.cancel()
        await run.value
    }
}
