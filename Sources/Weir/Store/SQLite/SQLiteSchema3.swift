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

            -- What is above a call is looked up by trace and span.
            DROP INDEX spans_trace;
            CREATE INDEX spans_trace ON spans (trace_id, span_id);

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
