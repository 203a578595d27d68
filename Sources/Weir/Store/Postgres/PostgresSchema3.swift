extension PostgresMigration {
    /// What calls cost, in entries that are never changed, and the sums of them by the hour.
    static let third = PostgresMigration(
        version: 3, name: "cost ledger",
        sql: """
            CREATE TABLE cost_ledger (
                start_time timestamptz NOT NULL,
                trace_id uuid NOT NULL,
                span_id bigint NOT NULL,
                entry integer NOT NULL,
                tenant_id integer NOT NULL,
                recorded_at timestamptz NOT NULL DEFAULT now(),
                reason text NOT NULL,
                status text NOT NULL,
                calls smallint NOT NULL,
                unpriced smallint NOT NULL,
                input_tokens bigint,
                output_tokens bigint,
                cache_read_tokens bigint,
                cache_write_tokens bigint,
                reasoning_tokens bigint,
                total_cost numeric(20, 12),
                cost_source text,
                price text,
                service_tier text,
                usage text,
                operation smallint NOT NULL,
                parent_span_id bigint,
                sampled_out boolean NOT NULL,
                service text NOT NULL,
                provider text,
                request_model text,
                model text,
                response_id text,
                agent text,
                workflow text,
                session_id text,
                conversation_id text,
                user_id text,
                call_id text,
                PRIMARY KEY (trace_id, span_id, start_time, tenant_id, entry)
            ) PARTITION BY RANGE (start_time);
            COMMENT ON TABLE cost_ledger IS
                'One row for each entry, never changed: numbers are what it adds, so that every sum is exact.';
            COMMENT ON COLUMN cost_ledger.entry IS
                'From 0 on; an odd one takes back the one before it. With the span the key.';
            COMMENT ON COLUMN cost_ledger.usage IS 'What was used, in parts of which none holds another: unit=count.';
            COMMENT ON COLUMN cost_ledger.reason IS
                'call, aggregate; duplicate, leaf: taken back for another call of the same response, or one below;
                agent: given to the one above; reprice';
            COMMENT ON COLUMN cost_ledger.total_cost IS 'In USD; NULL is unknown, never free.';
            CREATE INDEX cost_ledger_tenant ON cost_ledger (tenant_id, start_time);
            CREATE INDEX cost_ledger_response ON cost_ledger (response_id, (tenant_id::bigint))
                WHERE response_id IS NOT NULL;
            CREATE INDEX cost_ledger_aggregate ON cost_ledger (trace_id) WHERE calls = 0;

            CREATE TABLE cost_rollups (
                hour timestamptz NOT NULL,
                tenant_id integer NOT NULL,
                user_id text NOT NULL,
                agent text NOT NULL,
                model text NOT NULL,
                calls bigint NOT NULL,
                unpriced bigint NOT NULL,
                total_cost numeric NOT NULL,
                PRIMARY KEY (tenant_id, hour, user_id, agent, model)
            ) PARTITION BY RANGE (hour);
            COMMENT ON TABLE cost_rollups IS
                'The sums of cost_ledger by the hour of the start, kept by a trigger; empty where nobody is named.';

            CREATE FUNCTION add_to_cost_rollups() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
            BEGIN
                INSERT INTO cost_rollups AS r (tenant_id, hour, user_id, agent, model, calls, unpriced, total_cost)
                SELECT tenant_id, date_trunc('hour', start_time, 'UTC'), coalesce(user_id, ''), coalesce(agent, ''),
                    coalesce(model, ''), sum(calls), sum(unpriced), coalesce(sum(total_cost), 0)
                FROM added GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
                ON CONFLICT (tenant_id, hour, user_id, agent, model) DO UPDATE SET
                    calls = r.calls + excluded.calls, unpriced = r.unpriced + excluded.unpriced,
                    total_cost = r.total_cost + excluded.total_cost;
                RETURN NULL;
            END $$;
            CREATE TRIGGER cost_rollups AFTER INSERT ON cost_ledger REFERENCING NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION add_to_cost_rollups();

            CREATE TABLE budget_crossings (
                budget text NOT NULL,
                tenant text NOT NULL,
                scope text NOT NULL,
                scope_id text NOT NULL,
                period text NOT NULL,
                window_start timestamptz NOT NULL,
                level text NOT NULL,
                threshold numeric NOT NULL,
                spent numeric NOT NULL,
                crossed_at timestamptz NOT NULL,
                notified_at timestamptz,
                PRIMARY KEY (budget, tenant, scope_id, window_start, level)
            );
            COMMENT ON TABLE budget_crossings IS
                'One row for each time that a budget was used up to a threshold; notified_at when a webhook took it.';

            CREATE VIEW call_costs AS
                SELECT l.tenant_id, l.trace_id, l.span_id, l.start_time, min(l.provider) AS provider,
                    min(l.model) AS model, sum(l.input_tokens) AS input_tokens, sum(l.output_tokens) AS output_tokens,
                    sum(l.total_cost) AS total_cost
                FROM cost_ledger l GROUP BY l.tenant_id, l.trace_id, l.span_id, l.start_time
                HAVING sum(l.calls) > 0 OR sum(l.total_cost) <> 0;
            COMMENT ON VIEW call_costs IS
                'One row for each span that is paid for: a call, or what sums up calls that nobody has sent.';

            CREATE VIEW workflow_traces AS
                SELECT t.name AS tenant, md5(s.trace_id::text || s.span_id)::uuid AS id, s.trace_id,
                    coalesce(s.call_id, s.conversation_id, s.session_id) AS call_id, s.name AS workflow_name,
                    s.start_time,
                    s.start_time + s.duration_ns / 1000 * interval '1 microsecond' AS end_time,
                    CASE s.status WHEN 2 THEN 'error' ELSE 'ok' END AS status,
                    (SELECT sum(l.total_cost) FROM cost_ledger l
                        WHERE l.trace_id = s.trace_id AND l.tenant_id = s.tenant_id
                        AND l.start_time >= s.start_time - interval '1 hour'
                        AND l.start_time <= s.start_time + interval '1 day') AS total_cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.parent_span_id IS NULL;
            COMMENT ON VIEW workflow_traces IS
                'One row for each span without a parent; total_cost is that of its trace.';

            CREATE VIEW agent_executions AS
                SELECT t.name AS tenant, md5(s.trace_id::text || s.span_id)::uuid AS id, s.trace_id,
                    lpad(to_hex(s.span_id), 16, '0') AS span_id,
                    coalesce(s.attributes ->> 'gen_ai.agent.name', s.attributes ->> 'agent.name', s.name) AS agent_type,
                    s.start_time, s.start_time + s.duration_ns / 1000 * interval '1 microsecond' AS end_time,
                    s.duration_ns / 1000000 AS execution_time_ms, s.status <> 2 AS success,
                    coalesce(s.attributes -> 'gen_ai.input.messages', s.attributes -> 'input.value') AS input_data,
                    coalesce(s.attributes -> 'gen_ai.output.messages', s.attributes -> 'output.value') AS output_data,
                    (WITH RECURSIVE below (span_id) AS (
                        SELECT s.span_id
                        UNION
                        SELECT c.span_id FROM below b JOIN spans c ON c.parent_span_id = b.span_id
                        WHERE c.trace_id = s.trace_id AND c.tenant_id = s.tenant_id
                            AND c.start_time >= s.start_time - interval '1 hour'
                            AND c.start_time <= s.start_time + interval '1 day')
                    SELECT sum(l.total_cost) FROM cost_ledger l
                    WHERE l.trace_id = s.trace_id AND l.tenant_id = s.tenant_id
                        AND l.start_time >= s.start_time - interval '1 hour'
                        AND l.start_time <= s.start_time + interval '1 day'
                        AND (l.span_id IN (SELECT span_id FROM below)
                            OR l.parent_span_id IN (SELECT span_id FROM below))) AS cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.operation = 3;
            COMMENT ON VIEW agent_executions IS
                'One row for each span of an agent; cost is that of all that is below it, other agents too.';

            CREATE VIEW cost_details AS
                SELECT t.name AS tenant, md5(c.trace_id::text || c.span_id)::uuid AS id, c.trace_id,
                    'llm'::text AS cost_type, c.total_cost AS cost_amount,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS usage_units,
                    c.total_cost / nullif(coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0), 0) AS unit_cost,
                    c.start_time AS "timestamp"
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id;
            COMMENT ON VIEW cost_details IS 'One row for each span that is paid for, as a cost.';

            CREATE VIEW llm_usage_events AS
                SELECT t.name AS tenant_id, c.trace_id, lpad(to_hex(c.span_id), 16, '0') AS span_id,
                    c.model AS model_id, c.provider,
                    c.input_tokens AS prompt_tokens, c.output_tokens AS completion_tokens,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS total_tokens,
                    c.total_cost AS cost_usd, c.start_time AS created_at
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id;
            COMMENT ON VIEW llm_usage_events IS 'One row for each span that is paid for, as usage.'
            """)
}
