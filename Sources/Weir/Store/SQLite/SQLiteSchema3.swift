extension SQLiteMigration {
    /// What calls cost, in entries that are never changed, and the sums of them by the hour.
    static let thirdDay = SQLiteMigration(
        version: 3, name: "cost ledger",
        sql: """
            CREATE TABLE cost_ledger (
                -- Entries of which none is ever changed: numbers are what an entry adds, so that every sum is exact.
                -- entry counts from 0 on; an odd one takes back the one before it. With the span it is the key.
                -- usage is what was used, in parts of which none holds another: unit=count.
                -- reason is call, aggregate, duplicate or leaf (taken back for another call of the same response, or
                -- one below), agent (given to the one above), reprice. total_cost_pico is in 1e-12 USD; NULL is
                -- unknown, never free.
                start_time integer NOT NULL,
                trace_id blob NOT NULL,
                span_id integer NOT NULL,
                entry integer NOT NULL,
                tenant_id integer NOT NULL,
                recorded_at integer NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS integer) * 1000000),
                reason text NOT NULL,
                status text NOT NULL,
                calls integer NOT NULL,
                unpriced integer NOT NULL,
                input_tokens integer,
                output_tokens integer,
                cache_read_tokens integer,
                cache_write_tokens integer,
                reasoning_tokens integer,
                total_cost_pico integer,
                cost_source text,
                price text,
                service_tier text,
                usage text,
                operation integer NOT NULL,
                parent_span_id integer,
                sampled_out integer NOT NULL,
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
            );
            CREATE INDEX cost_ledger_tenant ON cost_ledger (tenant_id, start_time);
            CREATE INDEX cost_ledger_response ON cost_ledger (tenant_id, response_id)
                WHERE response_id IS NOT NULL;
            CREATE INDEX cost_ledger_aggregate ON cost_ledger (trace_id) WHERE calls = 0;

            CREATE TABLE cost_rollups (
                -- The sums of cost_ledger by the hour of the start, kept by a trigger; empty text where nobody is
                -- named. The cost is in 1e-6 USD and in what is left of it in 1e-12 USD, so that no sum is too much.
                hour integer NOT NULL,
                tenant_id integer NOT NULL,
                user_id text NOT NULL,
                agent text NOT NULL,
                model text NOT NULL,
                calls integer NOT NULL,
                unpriced integer NOT NULL,
                total_cost_micro integer NOT NULL,
                total_cost_pico integer NOT NULL,
                PRIMARY KEY (tenant_id, hour, user_id, agent, model)
            ) WITHOUT ROWID;
            CREATE TRIGGER cost_rollups AFTER INSERT ON cost_ledger BEGIN
                INSERT INTO cost_rollups
                    (tenant_id, hour, user_id, agent, model, calls, unpriced, total_cost_micro, total_cost_pico)
                VALUES (new.tenant_id, new.start_time / 3600000000 * 3600000000, coalesce(new.user_id, ''),
                    coalesce(new.agent, ''), coalesce(new.model, ''), new.calls, new.unpriced,
                    coalesce(new.total_cost_pico / 1000000, 0), coalesce(new.total_cost_pico % 1000000, 0))
                ON CONFLICT (tenant_id, hour, user_id, agent, model) DO UPDATE SET
                    calls = calls + excluded.calls, unpriced = unpriced + excluded.unpriced,
                    total_cost_micro = total_cost_micro + excluded.total_cost_micro,
                    total_cost_pico = total_cost_pico + excluded.total_cost_pico;
            END;

            CREATE VIEW call_costs AS
                -- One row for each span that is paid for: a call, or what sums up calls that nobody has sent.
                SELECT tenant_id, trace_id, span_id, start_time, min(provider) AS provider, min(model) AS model,
                    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
                    sum(total_cost_pico) / 1e12 AS total_cost
                FROM cost_ledger GROUP BY tenant_id, trace_id, span_id, start_time
                HAVING sum(calls) > 0 OR sum(total_cost_pico) <> 0;

            CREATE VIEW workflow_traces AS
                -- One row for each span without a parent; total_cost is that of its trace.
                SELECT t.name AS tenant, lower(hex(s.trace_id)) || printf('%016x', s.span_id) AS id,
                    lower(hex(s.trace_id)) AS trace_id, coalesce(s.call_id, s.conversation_id, s.session_id) AS call_id,
                    s.name AS workflow_name, s.start_time, s.start_time + s.duration_ns / 1000 AS end_time,
                    CASE s.status WHEN 2 THEN 'error' ELSE 'ok' END AS status,
                    (SELECT sum(l.total_cost_pico / 1e12) FROM cost_ledger l
                        WHERE l.trace_id = s.trace_id AND l.tenant_id = s.tenant_id) AS total_cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.parent_span_id IS NULL;

            CREATE VIEW agent_executions AS
                -- One row for each span of an agent; cost is that of all that is below it, other agents too.
                SELECT t.name AS tenant, lower(hex(s.trace_id)) || printf('%016x', s.span_id) AS id,
                    lower(hex(s.trace_id)) AS trace_id, printf('%016x', s.span_id) AS span_id,
                    coalesce(s.attributes ->> '$."gen_ai.agent.name"', s.attributes ->> '$."agent.name"', s.name)
                        AS agent_type,
                    s.start_time, s.start_time + s.duration_ns / 1000 AS end_time,
                    s.duration_ns / 1000000 AS execution_time_ms, s.status <> 2 AS success,
                    coalesce(s.attributes -> '$."gen_ai.input.messages"', s.attributes -> '$."input.value"')
                        AS input_data,
                    coalesce(s.attributes -> '$."gen_ai.output.messages"', s.attributes -> '$."output.value"')
                        AS output_data,
                    (WITH RECURSIVE below (span_id) AS (
                        SELECT s.span_id
                        UNION
                        SELECT c.span_id FROM below b JOIN spans c ON c.parent_span_id = b.span_id
                        WHERE c.trace_id = s.trace_id AND +c.tenant_id = s.tenant_id)
                    SELECT sum(l.total_cost_pico / 1e12) FROM cost_ledger l
                    WHERE l.trace_id = s.trace_id AND +l.tenant_id = s.tenant_id
                        AND (l.span_id IN (SELECT span_id FROM below)
                            OR l.parent_span_id IN (SELECT span_id FROM below))) AS cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.operation = 3;

            CREATE VIEW cost_details AS
                -- One row for each span that is paid for, as a cost in USD.
                SELECT t.name AS tenant, lower(hex(c.trace_id)) || printf('%016x', c.span_id) AS id,
                    lower(hex(c.trace_id)) AS trace_id, 'llm' AS cost_type, c.total_cost AS cost_amount,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS usage_units,
                    c.total_cost / nullif(coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0), 0) AS unit_cost,
                    c.start_time AS "timestamp"
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id;

            CREATE VIEW llm_usage_events AS
                -- One row for each span that is paid for, as usage.
                SELECT t.name AS tenant_id, lower(hex(c.trace_id)) AS trace_id, printf('%016x', c.span_id) AS span_id,
                    c.model AS model_id, c.provider, c.input_tokens AS prompt_tokens,
                    c.output_tokens AS completion_tokens,
                    coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) AS total_tokens,
                    c.total_cost AS cost_usd, c.start_time AS created_at
                FROM call_costs c JOIN tenants t ON t.id = c.tenant_id;
            """)

    /// Which budgets were used up.
    static let secondMeta = SQLiteMigration(
        version: 2, name: "budget crossings",
        sql: """
            CREATE TABLE budget_crossings (
                -- One row for each time that a budget was used up to a threshold; notified_at when a webhook took it.
                -- Amounts are in USD with twelve decimals.
                budget text NOT NULL,
                tenant text NOT NULL,
                scope text NOT NULL,
                scope_id text NOT NULL,
                period text NOT NULL,
                window_start integer NOT NULL,
                level text NOT NULL,
                threshold text NOT NULL,
                spent text NOT NULL,
                crossed_at integer NOT NULL,
                notified_at integer,
                PRIMARY KEY (budget, tenant, scope_id, window_start, level)
            );
            """)
}
