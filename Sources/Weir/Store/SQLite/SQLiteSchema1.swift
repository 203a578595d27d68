extension SQLiteMigration {
    /// The tables of a day, as those of Postgres. Money is a whole number here, since SQLite has no exact decimals.
    static let firstDay = SQLiteMigration(
        version: 1, name: "hot tables",
        sql: #"""
            CREATE TABLE tenants (
                -- One row for each tenant that has spans in this file.
                id integer PRIMARY KEY,
                name text NOT NULL UNIQUE,
                created_at integer NOT NULL
            );

            CREATE TABLE ledger (
                -- One row for each run of journal records whose spans of this day are stored, written with them in
                -- one transaction.
                journal integer NOT NULL,
                first_sequence integer NOT NULL,
                last_sequence integer NOT NULL,
                spans integer NOT NULL,
                rejected integer NOT NULL,
                updated_at integer NOT NULL,
                PRIMARY KEY (journal, first_sequence)
            );

            CREATE TABLE resources (
                -- One row for each resource of a tenant with spans in this file.
                id integer PRIMARY KEY,
                tenant_id integer NOT NULL,
                attributes text NOT NULL,
                schema_url text NOT NULL
            );

            CREATE TABLE scopes (
                -- One row for each instrumentation scope of a tenant, as resources.
                id integer PRIMARY KEY,
                tenant_id integer NOT NULL,
                name text NOT NULL,
                version text NOT NULL,
                attributes text NOT NULL,
                schema_url text NOT NULL
            );

            CREATE TABLE spans (
                -- One row for each span that starts on the day of this file. Times are microseconds since 1970, in
                -- UTC.
                start_time integer NOT NULL,
                start_ns integer NOT NULL,
                duration_ns integer,
                trace_id blob NOT NULL,
                span_id integer NOT NULL,
                parent_span_id integer,
                resource_id integer NOT NULL,
                scope_id integer NOT NULL,
                journal integer NOT NULL,
                sequence integer NOT NULL,
                tenant_id integer NOT NULL,
                flags integer NOT NULL,
                dropped_attributes integer,
                dropped_events integer,
                dropped_links integer,
                kind integer NOT NULL,
                status integer NOT NULL,
                operation integer NOT NULL,
                clock_suspect integer NOT NULL,
                service text NOT NULL,
                name text NOT NULL,
                status_message text,
                trace_state text,
                session_id text,
                conversation_id text,
                user_id text,
                call_id text,
                attributes text NOT NULL,
                events text,
                links text
            );

            CREATE TABLE llm_usage (
                -- One row for each call of a model: a span that is sent twice is here once. total_cost_pico is in
                -- 1e-12 USD; NULL is unknown, never free.
                start_time integer NOT NULL,
                trace_id blob NOT NULL,
                span_id integer NOT NULL,
                tenant_id integer NOT NULL,
                status integer NOT NULL,
                operation integer NOT NULL,
                duration_ns integer,
                time_to_first_token_ns integer,
                input_tokens integer,
                output_tokens integer,
                cache_read_tokens integer,
                cache_write_tokens integer,
                reasoning_tokens integer,
                total_cost_pico integer,
                cost_source text,
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
                PRIMARY KEY (trace_id, span_id, start_time, tenant_id)
            );

            CREATE TABLE span_rollups (
                -- One row for what a transaction adds to a minute of an operation: sum over them.
                minute integer NOT NULL,
                tenant_id integer NOT NULL,
                operation integer NOT NULL,
                kind integer NOT NULL,
                spans integer NOT NULL,
                errors integer NOT NULL,
                duration_ns integer NOT NULL,
                input_tokens integer NOT NULL,
                output_tokens integer NOT NULL,
                total_cost_pico integer NOT NULL,
                unpriced integer NOT NULL,
                durations text NOT NULL,
                service text NOT NULL,
                name text NOT NULL,
                model text NOT NULL
            );

            CREATE INDEX spans_trace ON spans (trace_id);
            CREATE INDEX spans_operation ON spans (tenant_id, service, name, start_time);
            CREATE INDEX spans_time ON spans (start_time);
            CREATE INDEX spans_error ON spans (tenant_id, start_time DESC) WHERE status = 2;
            CREATE INDEX spans_session ON spans (tenant_id, session_id, start_time) WHERE session_id IS NOT NULL;
            CREATE INDEX spans_conversation ON spans (tenant_id, conversation_id, start_time)
                WHERE conversation_id IS NOT NULL;
            CREATE INDEX spans_user ON spans (tenant_id, user_id, start_time) WHERE user_id IS NOT NULL;
            CREATE INDEX spans_call ON spans (tenant_id, call_id, start_time) WHERE call_id IS NOT NULL;
            CREATE INDEX llm_usage_tenant ON llm_usage (tenant_id, start_time);
            CREATE INDEX span_rollups_operation ON span_rollups (tenant_id, service, name, minute);

            CREATE VIEW trace_summary AS
                -- One row for each trace with spans in this file; name and service are those of its root.
                SELECT tenant_id, trace_id, min(start_time) AS start_time,
                    max(start_time + coalesce(duration_ns, 0) / 1000) AS end_time, count(*) AS spans,
                    count(*) FILTER (WHERE status = 2) AS errors,
                    min(service) FILTER (WHERE parent_span_id IS NULL) AS service,
                    min(name) FILTER (WHERE parent_span_id IS NULL) AS name
                FROM spans GROUP BY tenant_id, trace_id;

            CREATE VIEW workflow_traces AS
                -- One row for each span without a parent.
                SELECT t.name AS tenant, lower(hex(s.trace_id)) || printf('%016x', s.span_id) AS id,
                    lower(hex(s.trace_id)) AS trace_id, coalesce(s.call_id, s.conversation_id, s.session_id) AS call_id,
                    s.name AS workflow_name, s.start_time, s.start_time + s.duration_ns / 1000 AS end_time,
                    CASE s.status WHEN 2 THEN 'error' ELSE 'ok' END AS status,
                    (SELECT sum(u.total_cost_pico) / 1e12 FROM llm_usage u
                        WHERE u.trace_id = s.trace_id AND u.tenant_id = s.tenant_id) AS total_cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.parent_span_id IS NULL;

            CREATE VIEW agent_executions AS
                -- One row for each span of an agent; cost is that of the calls directly below it.
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
                    (SELECT sum(u.total_cost_pico) / 1e12 FROM spans c JOIN llm_usage u
                        ON u.trace_id = c.trace_id AND u.span_id = c.span_id AND u.start_time = c.start_time
                            AND u.tenant_id = c.tenant_id
                        WHERE c.trace_id = s.trace_id AND c.tenant_id = s.tenant_id AND c.parent_span_id = s.span_id)
                        AS cost,
                    s.start_time AS created_at
                FROM spans s JOIN tenants t ON t.id = s.tenant_id WHERE s.operation = 3;

            CREATE VIEW cost_details AS
                -- One row for each call of a model, as a cost in USD.
                SELECT t.name AS tenant, lower(hex(u.trace_id)) || printf('%016x', u.span_id) AS id,
                    lower(hex(u.trace_id)) AS trace_id, 'llm' AS cost_type,
                    u.total_cost_pico / 1e12 AS cost_amount,
                    coalesce(u.input_tokens, 0) + coalesce(u.output_tokens, 0) AS usage_units,
                    u.total_cost_pico / 1e12 / nullif(coalesce(u.input_tokens, 0) + coalesce(u.output_tokens, 0), 0)
                        AS unit_cost,
                    u.start_time AS "timestamp"
                FROM llm_usage u JOIN tenants t ON t.id = u.tenant_id;

            CREATE VIEW llm_usage_events AS
                -- One row for each call of a model, as usage.
                SELECT t.name AS tenant_id, lower(hex(u.trace_id)) AS trace_id,
                    printf('%016x', u.span_id) AS span_id, u.model AS model_id,
                    u.provider, u.input_tokens AS prompt_tokens, u.output_tokens AS completion_tokens,
                    coalesce(u.input_tokens, 0) + coalesce(u.output_tokens, 0) AS total_tokens,
                    u.total_cost_pico / 1e12 AS cost_usd, u.start_time AS created_at
                FROM llm_usage u JOIN tenants t ON t.id = u.tenant_id;
            """#)

    static let firstMeta = SQLiteMigration(
        version: 1, name: "tenants and rejects",
        sql: """
            CREATE TABLE tenants (
                -- One row for each tenant that has sent anything.
                id integer PRIMARY KEY,
                name text NOT NULL UNIQUE,
                created_at integer NOT NULL
            );

            CREATE TABLE rejects (
                -- One row for each span that the tables did not take, with the reason; place counts the spans
                -- of the record, span is OTLP protobuf, TracesData.
                rejected_at integer NOT NULL,
                journal integer NOT NULL,
                sequence integer NOT NULL,
                place integer NOT NULL,
                tenant_id integer NOT NULL,
                trace_id blob NOT NULL,
                span_id integer NOT NULL,
                reason text NOT NULL,
                span blob NOT NULL,
                PRIMARY KEY (journal, sequence, place)
            );
            CREATE INDEX rejects_time ON rejects (rejected_at);
            """)
}
