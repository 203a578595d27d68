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
                'Entries of which none is ever changed: numbers are what an entry adds, so that every sum is exact.';
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

            -- What is above a call is looked up by trace and span.
            DROP INDEX spans_trace;
            CREATE INDEX spans_trace ON spans (trace_id, span_id);

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
                'One row for each time that a budget was used up to a threshold; notified_at when a webhook took it.'
            """)
}
