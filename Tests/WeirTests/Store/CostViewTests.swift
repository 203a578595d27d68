import Testing

@testable import Weir

/// What the views say that people and tools read, the same in either database, and the same as the ledger.
@Suite struct CostViewTests {
    private typealias Sample = QuerySample

    private func placed(
        _ id: UInt64, parent: UInt64, _ operation: String? = nil, _ further: [(String, NewValue)] = []
    ) -> SpanFixture {
        let attributes = operation.map { [("gen_ai.operation.name", NewValue.string($0))] } ?? []
        var span = Sample.span(id, name: operation ?? "step", attributes + further)
        (span.traceID, span.parentSpanID) = ((9, 1), parent)
        return span
    }

    private func call(_ id: UInt64, parent: UInt64, tokens: Int64 = 10) -> SpanFixture {
        placed(
            id, parent: parent, "chat",
            [
                ("gen_ai.request.model", .string("m")), ("gen_ai.provider.name", .string("p")),
                ("gen_ai.usage.input_tokens", .int(tokens)), ("gen_ai.usage.output_tokens", .int(tokens)),
                ("weir.cost.status", .string("priced")), ("weir.cost.total", .string("2.5")),
            ])
    }

    /// A framework's view of a call stands around the SDK's, and a task between it and the agent.
    @Test(arguments: HotDatabase.allCases)
    func aCallIsThereOnceAndAnAgentCostsWhatIsBelowIt(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([
            placed(1, parent: 0, "invoke_agent", [("gen_ai.agent.name", .string("planner"))]), placed(2, parent: 1),
            call(3, parent: 2), call(4, parent: 3),
        ])
        func isPaid(_ column: String) -> String { "CASE WHEN \(column) = 2.5 THEN 'paid' END" }
        #expect(
            try sample.lines("SELECT tenant, workflow_name, status, \(isPaid("total_cost")) FROM workflow_traces")
                == ["default|invoke_agent|ok|paid"])
        #expect(
            try sample.lines("SELECT tenant, span_id, agent_type, \(isPaid("cost")) FROM agent_executions")
                == ["default|0000000000000001|planner|paid"])
        #expect(
            try sample.lines("SELECT tenant, cost_type, usage_units, \(isPaid("cost_amount")) FROM cost_details")
                == ["default|llm|20|paid"])
        let columns = "tenant_id, span_id, model_id, provider, prompt_tokens, completion_tokens, total_tokens"
        #expect(
            try sample.lines("SELECT \(columns), \(isPaid("cost_usd")) FROM llm_usage_events")
                == ["default|0000000000000004|m|p|10|10|20|paid"])
        #expect(
            try sample.lines("SELECT tenant_id, span_id, \(isPaid("total_cost")) FROM call_costs") == ["1|4|paid"])
        #expect(try sample.lines("SELECT spans, errors, name FROM trace_summary") == ["4|0|invoke_agent"])
        let call = "tenant, span_id, provider, model, input_tokens, output_tokens, latency_ms, success"
        #expect(
            try sample.lines("SELECT \(call), \(isPaid("cost_usd")) FROM api_calls_log").map(Self.withWords)
                == ["default|0000000000000004|p|m|10|10|0|t|paid"])
    }

    /// Postgres has a type for truth.
    private static func withWords(_ line: String) -> String {
        line.hasSuffix("|1|paid") ? String(line.dropLast(7)) + "|t|paid" : line
    }

    @Test(arguments: HotDatabase.allCases)
    func whatWasMeasuredIsAMetricEach(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var agent = placed(1, parent: 0, "invoke_agent", [("gen_ai.agent.name", .string("planner"))])
        agent.endTime = agent.startTime + 2_500_000
        var call = call(2, parent: 1)
        call.attributes.append(NewPair(key: "gen_ai.response.time_to_first_chunk", value: .double(0.25)))
        call.endTime = call.startTime + 750_000_000
        try await sample.add([agent, call])
        let name =
            switch database {
            case .postgres: "metadata ->> 'name'"
            case .sqlite: "metadata ->> '$.name'"
            }
        let value = "CAST(metric_value * 1000 AS bigint)"
        #expect(
            try sample.lines(
                "SELECT tenant, span_id, metric_type, \(value), \(name) FROM performance_metrics ORDER BY metric_type")
                == [
                    "default|0000000000000001|agent_duration_ms|2500|planner",
                    "default|0000000000000002|llm_duration_ms|750000|m",
                    "default|0000000000000002|llm_time_to_first_token_ms|250000|m",
                    "default|0000000000000001|workflow_duration_ms|2500|invoke_agent",
                ])
    }

    @Test(arguments: HotDatabase.allCases)
    func theViewsHaveTheColumnsThatDashboardsOfOthersAskFor(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([
            placed(1, parent: 0, "invoke_agent", [("gen_ai.agent.name", .string("planner"))]), call(2, parent: 1),
        ])
        let columns = [
            "workflow_traces":
                "id, trace_id, call_id, workflow_name, start_time, end_time, status, total_cost, created_at",
            "agent_executions":
                "id, trace_id, agent_type, start_time, end_time, execution_time_ms, success, input_data, output_data, cost",
            "performance_metrics": #"id, trace_id, metric_type, metric_value, "timestamp", metadata"#,
            "cost_details": #"id, trace_id, cost_type, cost_amount, usage_units, unit_cost, "timestamp""#,
            "llm_usage_events": "tenant_id, model_id, prompt_tokens, completion_tokens, cost_usd, created_at",
        ]
        for (view, columns) in columns {
            #expect(try !sample.lines("SELECT \(columns) FROM \(view)").isEmpty, "\(view)")
        }
        let alert = "id, alert_type, severity, message, triggered_at, resolved_at, metadata"
        #expect(try sample.lasting("SELECT \(alert) FROM alert_history") == [])
    }

    /// Nothing writes them yet, and whoever does finds the views that show them.
    @Test(arguments: HotDatabase.allCases)
    func whereACallWasRoutedIsShownWithItsUsage(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([call(1, parent: 0), call(2, parent: 0)])
        let routing = "routing_complexity, routing_rule, routing_requested_model"
        #expect(
            try sample.lines("SELECT \(routing) FROM llm_usage_events") == ["NULL|NULL|NULL", "NULL|NULL|NULL"])
        try sample.change(
            """
            INSERT INTO routing_decisions
                (decided_at, tenant_id, trace_id, span_id, complexity, score, rule, requested_model, model)
            SELECT start_time, tenant_id, trace_id, span_id, 'simple', 0.25, 'short', 'large', 'm'
                FROM llm_usage WHERE span_id = 2
            """)
        #expect(
            try sample.lines("SELECT span_id, \(routing) FROM llm_usage_events ORDER BY span_id")
                == ["0000000000000001|NULL|NULL|NULL", "0000000000000002|simple|short|large"])
        #expect(try sample.lines("SELECT count(*) FROM evaluations") == ["0"])
        for table in ["storage_manifests", "erasure_requests", "alert_history"] {
            #expect(try sample.lasting("SELECT count(*) FROM \(table)") == ["0"])
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func anAbsurdCountBreaksNone(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([call(1, parent: 0, tokens: .max)])
        for (view, units) in [("cost_details", "usage_units"), ("llm_usage_events", "total_tokens")] {
            #expect(try sample.lines("SELECT count(*) FROM \(view) WHERE coalesce(\(units), 0) = 0") == ["1"])
        }
    }

    /// Rows are in the millions when a migration comes, and who writes does not wait for long.
    @Test func noMigrationButTheFirstMakesAnIndexOfWhatIsThere() {
        let all = [
            PostgresMigration.all.map { ($0.version, $0.sql) }, SQLiteMigration.day.map { ($0.version, $0.sql) },
        ]
        for (version, sql) in all.joined() where version > 1 {
            #expect(!sql.contains("DROP INDEX"), "\(version)")
            for table in ["spans", "llm_usage", "span_rollups"] {
                #expect(sql.firstRange(of: " ON \(table) (") == nil, "\(version)")
            }
        }
    }
}
