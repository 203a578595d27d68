extension PostgresMigration {
    /// What is judged, routed, alerted, archived and erased: views of what is there, and tables with their names and
    /// columns for what nothing writes yet.
    static let fifth = PostgresMigration(
        version: 5, name: "calls, metrics, alerts and registers",
        sql: """
            CREATE TABLE evaluations (
                evaluated_at timestamptz NOT NULL,
                tenant_id integer NOT NULL,
                trace_id uuid NOT NULL,
                span_id bigint,
                name text NOT NULL,
                score double precision,
                label text,
                explanation text,
                evaluator text,
                metadata jsonb
            );
            COMMENT ON TABLE evaluations IS
                'One row for each judgement of a span, or of a trace where span_id is NULL. Nothing writes it yet.';
            COMMENT ON COLUMN evaluations.name IS
                'As gen_ai.evaluation.name; score, label and explanation are those of gen_ai.evaluation.result.';
            COMMENT ON COLUMN evaluations.evaluator IS 'Who judged: a person, a model, a program.';
            CREATE INDEX evaluations_trace ON evaluations (trace_id);
            CREATE INDEX evaluations_name ON evaluations (tenant_id, name, evaluated_at);

            CREATE TABLE routing_decisions (
                decided_at timestamptz NOT NULL,
                tenant_id integer NOT NULL,
                trace_id uuid NOT NULL,
                span_id bigint NOT NULL,
                complexity text,
                score double precision,
                rule text,
                requested_model text,
                model text NOT NULL,
                metadata jsonb,
                PRIMARY KEY (trace_id, span_id, tenant_id)
            );
            COMMENT ON TABLE routing_decisions IS
                'One row for each call, by its span, whose model a router chose, and why. Nothing writes it yet.';
            COMMENT ON COLUMN routing_decisions.complexity IS 'simple, medium or complex, by the score.';
            COMMENT ON COLUMN routing_decisions.requested_model IS 'What was asked for; NULL where nobody named one.';

            CREATE TABLE storage_manifests (
                id uuid PRIMARY KEY,
                tenant_id integer NOT NULL,
                tier text NOT NULL,
                path text NOT NULL UNIQUE,
                format text NOT NULL,
                event_date date,
                rows bigint NOT NULL,
                bytes bigint NOT NULL,
                sha256 text NOT NULL,
                state text NOT NULL,
                retention_class text,
                created_at timestamptz NOT NULL,
                verified_at timestamptz,
                expires_at timestamptz
            );
            COMMENT ON TABLE storage_manifests IS
                'One row for each file of an archive, as its manifest says it. Nothing writes it yet: weir archive ls
                reads the manifests, which stand beside the files.';

            CREATE TABLE erasure_requests (
                id text PRIMARY KEY,
                tenant_id integer NOT NULL,
                attribute text NOT NULL,
                subject_hash text NOT NULL,
                requested_at timestamptz NOT NULL,
                completed_at timestamptz,
                spans_erased bigint
            );
            COMMENT ON TABLE erasure_requests IS
                'One row for each subject that is to be erased, without any value of theirs. Nothing writes it yet: the
                register of erasures is a file, since it has to outlive the tables.';

            CREATE VIEW api_calls_log AS
                SELECT t.name AS tenant, md5(u.trace_id::text || u.span_id)::uuid AS id, u.start_time AS called_at,
                    u.trace_id, lpad(to_hex(u.span_id), 16, '0') AS span_id, u.service, u.provider,
                    coalesce(u.model, u.request_model) AS model, u.response_id, u.session_id, u.conversation_id,
                    u.user_id, u.call_id, u.input_tokens, u.output_tokens, l.total_cost AS cost_usd,
                    u.duration_ns / 1000000 AS latency_ms, u.status <> 2 AS success
                FROM llm_usage u JOIN tenants t ON t.id = u.tenant_id
                CROSS JOIN LATERAL (
                    SELECT sum(e.calls) AS calls, sum(e.total_cost) AS total_cost FROM cost_ledger e
                    WHERE e.trace_id = u.trace_id AND e.span_id = u.span_id AND e.start_time = u.start_time
                        AND e.tenant_id = u.tenant_id) l
                WHERE l.calls > 0 OR l.calls IS NULL;
            COMMENT ON VIEW api_calls_log IS
                'One row for each call of a model, once where several instrumentations have seen it; cost_usd is the
                ledger''s.';

            CREATE VIEW performance_metrics AS
                SELECT t.name AS tenant, md5(m.metric_type || m.trace_id::text || m.span_id)::uuid AS id, m.trace_id,
                    lpad(to_hex(m.span_id), 16, '0') AS span_id, m.metric_type,
                    CAST(m.nanoseconds / 1000000.0 AS numeric(20, 6)) AS metric_value, m.start_time AS "timestamp",
                    jsonb_build_object('service', m.service, 'name', m.name, 'success', m.status <> 2) AS metadata
                FROM (
                    SELECT s.tenant_id, s.trace_id, s.span_id, s.start_time, 'workflow_duration_ms' AS metric_type,
                        s.duration_ns AS nanoseconds, s.service, s.name, s.status
                    FROM spans s WHERE s.parent_span_id IS NULL
                    UNION ALL
                    SELECT s.tenant_id, s.trace_id, s.span_id, s.start_time, 'agent_duration_ms', s.duration_ns,
                        s.service, coalesce(s.attributes ->> 'gen_ai.agent.name', s.name), s.status
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
            COMMENT ON VIEW performance_metrics IS
                'One row for each time that was measured of a span: how long a workflow, an agent or a call of a model
                took, and how long a call''s first token.';

            CREATE VIEW alert_history AS
                SELECT b.tenant,
                    md5(jsonb_build_array(b.budget, b.tenant, b.scope_id, extract(epoch FROM b.window_start), b.level)
                        ::text)::uuid AS id,
                    'budget'::text AS alert_type,
                    CASE b.level WHEN 'hard' THEN 'critical' ELSE 'warning' END AS severity,
                    'budget ' || b.budget || ', ' || concat_ws(' ', b.scope, nullif(b.scope_id, ''))
                        || ': spent ' || trim_scale(b.spent) || ' of ' || trim_scale(b.threshold) || ' USD' AS message,
                    b.crossed_at AS triggered_at, NULL::timestamptz AS resolved_at,
                    jsonb_build_object('budget', b.budget, 'level', b.level, 'scope', b.scope,
                        'id', nullif(b.scope_id, ''), 'window', b.period,
                        'window_start', CASE WHEN b.period <> 'run' THEN b.window_start END,
                        'threshold', b.threshold, 'spent', b.spent) AS metadata
                FROM budget_crossings b;
            COMMENT ON VIEW alert_history IS
                'One row for each alert: a budget that was used up to a threshold, which nobody takes back.';

            CREATE OR REPLACE VIEW llm_usage_events AS
                SELECT t.name AS tenant_id, c.trace_id, lpad(to_hex(c.span_id), 16, '0') AS span_id,
                    c.model AS model_id, c.provider,
                    c.input_tokens AS prompt_tokens, c.output_tokens AS completion_tokens,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS total_tokens,
                    c.total_cost AS cost_usd, c.start_time AS created_at, r.complexity AS routing_complexity,
                    r.rule AS routing_rule, r.requested_model AS routing_requested_model
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id
                LEFT JOIN routing_decisions r
                    ON r.trace_id = c.trace_id AND r.span_id = c.span_id AND r.tenant_id = c.tenant_id
            """)
}
