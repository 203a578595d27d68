extension PostgresMigration {
    /// Spans that were called back stand for none, and nothing is divided by that.
    static let sixth = PostgresMigration(
        version: 6, name: "events that were called back",
        sql: """
            CREATE OR REPLACE VIEW telemetry_events AS
                SELECT t.name AS tenant, s.start_time AS event_time, lpad(to_hex(s.span_id), 16, '0') AS event_id,
                    s.name, coalesce(substring(s.attributes ->> 'weir.event.version' FROM '^[0-9]{1,18}$')::bigint, 1)
                        AS schema_version,
                    1 / nullif(coalesce(s.adjusted_count, 1), 0) AS sample_rate, s.trace_id, s.session_id,
                    s.attributes ->> 'browser.origin' AS source, s.attributes AS payload
                FROM spans s JOIN tenants t ON t.id = s.tenant_id
                WHERE s.scope_id IN (SELECT c.id FROM scopes c WHERE c.name = 'weir.beacon');
            COMMENT ON COLUMN spans.adjusted_count IS
                'For how many spans it stands; 0 where it was called back, NULL where nobody says.';
            """)
}
