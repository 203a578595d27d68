extension SQLiteMigration {
    /// What is judged, routed and called: views of what is there, and tables with their names and columns for what
    /// nothing writes yet.
    static let fifthDay = SQLiteMigration(
        version: 5, name: "calls, metrics and judgements",
        sql: #"""
            CREATE TABLE evaluations (
                -- One row for each judgement of a span, or of a trace where span_id is NULL. Nothing writes it yet.
                -- name, score, label and explanation are those of gen_ai.evaluation.result; evaluator is who judged.
                evaluated_at integer NOT NULL,
                tenant_id integer NOT NULL,
                trace_id blob NOT NULL,
                span_id integer,
                name text NOT NULL,
                score real,
                label text,
                explanation text,
                evaluator text,
                metadata text
            );
            CREATE INDEX evaluations_trace ON evaluations (trace_id);
            CREATE INDEX evaluations_name ON evaluations (tenant_id, name, evaluated_at);

            CREATE TABLE routing_decisions (
                -- One row for each call, by its span, whose model a router chose, and why. Nothing writes it yet.
                -- complexity is simple, medium or complex, by the score; requested_model is what was asked
                -- for, NULL where nobody named one.
                decided_at integer NOT NULL,
                tenant_id integer NOT NULL,
                trace_id blob NOT NULL,
                span_id integer NOT NULL,
                complexity text,
                score real,
                rule text,
                requested_model text,
                model text NOT NULL,
                metadata text,
                PRIMARY KEY (trace_id, span_id, tenant_id)
            ) WITHOUT ROWID;

            CREATE VIEW api_calls_log AS
                -- One row for each call of a model, once where several instrumentations have seen it; cost_usd is the
                -- ledger's.
                SELECT t.name AS tenant, lower(hex(u.trace_id)) || printf('%016x', u.span_id) AS id,
                    u.start_time AS called_at, lower(hex(u.trace_id)) AS trace_id,
                    printf('%016x', u.span_id) AS span_id, u.service, u.provider,
                    coalesce(u.model, u.request_model) AS model, u.response_id, u.session_id, u.conversation_id,
                    u.user_id, u.call_id, u.input_tokens, u.output_tokens,
                    (SELECT sum(e.total_cost_pico / 1e12) FROM cost_ledger e WHERE e.trace_id = u.trace_id
                        AND e.span_id = u.span_id AND e.start_time = u.start_time AND e.tenant_id = u.tenant_id)
                        AS cost_usd,
                    u.duration_ns / 1000000 AS latency_ms, u.status <> 2 AS success
                FROM llm_usage u JOIN tenants t ON t.id = u.tenant_id
                WHERE coalesce((SELECT sum(e.calls) FROM cost_ledger e WHERE e.trace_id = u.trace_id
                    AND e.span_id = u.span_id AND e.start_time = u.start_time AND e.tenant_id = u.tenant_id), 1) > 0;

            CREATE VIEW performance_metrics AS
                -- One row for each time that was measured of a span: how long a workflow, an agent or a call of a model
                -- took, and how long a call's first token.
                SELECT t.name AS tenant, m.metric_type || lower(hex(m.trace_id)) || printf('%016x', m.span_id) AS id,
                    lower(hex(m.trace_id)) AS trace_id, printf('%016x', m.span_id) AS span_id, m.metric_type,
                    m.nanoseconds / 1e6 AS metric_value, m.start_time AS "timestamp",
                    json_object('name', m.name, 'service', m.service,
                        'success', json(CASE m.status WHEN 2 THEN 'false' ELSE 'true' END)) AS metadata
                FROM (
                    SELECT s.tenant_id, s.trace_id, s.span_id, s.start_time, 'workflow_duration_ms' AS metric_type,
                        s.duration_ns AS nanoseconds, s.service, s.name, s.status
                    FROM spans s WHERE s.parent_span_id IS NULL
                    UNION ALL
                    SELECT s.tenant_id, s.trace_id, s.span_id, s.start_time, 'agent_duration_ms', s.duration_ns,
                        s.service, coalesce(s.attributes ->> '$."gen_ai.agent.name"', s.name), s.status
                    FROM spans s WHERE s.operation = 3
                    UNION ALL
                    SELECT u.tenant_id, u.trace_id, u.span_id, u.start_time, 'llm_duration_ms', u.duration_ns,
                        u.service, coalesce(u.model, u.request_model), u.status
                    FROM llm_usage u
                    UNION ALL
                    SELECT u.tenant_id, u.trace_id, u.span_id, u.start_time, 'llm_time_to_first_token_ms',
                        u.time_to_first_token_ns, u.service, coalesce(u.model, u.request_model), u.status
                    FROM llm_usage u) m
                JOIN tenants t ON t.id = m.tenant_id WHERE m.nanoseconds IS NOT NULL;

            DROP VIEW llm_usage_events;
            CREATE VIEW llm_usage_events AS
                -- One row for each span that is paid for, as usage.
                SELECT t.name AS tenant_id, lower(hex(c.trace_id)) AS trace_id, printf('%016x', c.span_id) AS span_id,
                    c.model AS model_id, c.provider, c.input_tokens AS prompt_tokens,
                    c.output_tokens AS completion_tokens,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS total_tokens,
                    c.total_cost AS cost_usd, c.start_time AS created_at, r.complexity AS routing_complexity,
                    r.rule AS routing_rule, r.requested_model AS routing_requested_model
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id
                LEFT JOIN routing_decisions r
                    ON r.trace_id = c.trace_id AND r.span_id = c.span_id AND r.tenant_id = c.tenant_id;
            """#)

    /// What is alerted, archived and erased.
    static let thirdMeta = SQLiteMigration(
        version: 3, name: "alerts and registers",
        sql: """
            CREATE TABLE storage_manifests (
                -- One row for each file of an archive, as its manifest says it. Nothing writes it yet: weir archive ls
                -- reads the manifests, which stand beside the files.
                id text PRIMARY KEY,
                tenant_id integer NOT NULL,
                tier text NOT NULL,
                path text NOT NULL UNIQUE,
                format text NOT NULL,
                event_date text,
                rows integer NOT NULL,
                bytes integer NOT NULL,
                sha256 text NOT NULL,
                state text NOT NULL,
                retention_class text,
                created_at integer NOT NULL,
                verified_at integer,
                expires_at integer
            );

            CREATE TABLE erasure_requests (
                -- One row for each subject that is to be erased, without any value of theirs. Nothing writes it yet:
                -- the register of erasures is a file, since it has to outlive the tables.
                id text PRIMARY KEY,
                tenant_id integer NOT NULL,
                attribute text NOT NULL,
                subject_hash text NOT NULL,
                requested_at integer NOT NULL,
                completed_at integer,
                spans_erased integer
            );

            CREATE VIEW alert_history AS
                -- One row for each alert: a budget that was used up to a threshold, which nobody takes back.
                SELECT b.tenant, json_array(b.budget, b.tenant, b.scope_id, b.window_start, b.level) AS id,
                    'budget' AS alert_type, CASE b.level WHEN 'hard' THEN 'critical' ELSE 'warning' END AS severity,
                    'budget ' || b.budget || ', ' || trim(b.scope || ' ' || b.scope_id)
                        || ': spent ' || rtrim(rtrim(b.spent, '0'), '.') || ' of '
                        || rtrim(rtrim(b.threshold, '0'), '.') || ' USD' AS message,
                    b.crossed_at AS triggered_at, NULL AS resolved_at,
                    json_object('budget', b.budget, 'level', b.level, 'scope', b.scope,
                        'id', nullif(b.scope_id, ''), 'window', b.period,
                        'window_start', CASE WHEN b.period <> 'run' THEN b.window_start END,
                        'threshold', b.threshold, 'spent', b.spent) AS metadata
                FROM budget_crossings b;
            """)
}
