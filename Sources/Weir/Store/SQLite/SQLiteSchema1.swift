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

            CREATE INDEX spans_trace ON spans (trace_id, span_id);
            -- The spans of ten seconds stand in the order in which they came. With the time itself in its place, spans
            -- that come together went to pages all over the indexes, each of which was written again.
            CREATE INDEX spans_operation ON spans (tenant_id, service, name, start_time / 10000000);
            CREATE INDEX spans_time ON spans (start_time / 10000000);
            CREATE INDEX spans_error ON spans (tenant_id, start_time / 10000000) WHERE status = 2;
            CREATE INDEX spans_session ON spans (tenant_id, session_id, start_time / 10000000)
                WHERE session_id IS NOT NULL;
            CREATE INDEX spans_conversation ON spans (tenant_id, conversation_id, start_time / 10000000)
                WHERE conversation_id IS NOT NULL;
            CREATE INDEX spans_user ON spans (tenant_id, user_id, start_time / 10000000) WHERE user_id IS NOT NULL;
            CREATE INDEX spans_call ON spans (tenant_id, call_id, start_time / 10000000) WHERE call_id IS NOT NULL;
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
