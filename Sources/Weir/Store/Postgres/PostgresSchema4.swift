extension PostgresMigration {
    /// What web pages have sent.
    static let fourth = PostgresMigration(
        version: 4, name: "telemetry events",
        sql: """
            CREATE VIEW telemetry_events AS
                SELECT t.name AS tenant, s.start_time AS event_time, lpad(to_hex(s.span_id), 16, '0') AS event_id,
                    s.name, coalesce(substring(s.attributes ->> 'weir.event.version' FROM '^[0-9]{1,18}$')::bigint, 1)
                        AS schema_version,
                    1 / coalesce(s.adjusted_count, 1) AS sample_rate, s.trace_id, s.session_id,
                    s.attributes ->> 'browser.origin' AS source, s.attributes AS payload
                FROM spans s JOIN tenants t ON t.id = s.tenant_id
                WHERE s.scope_id IN (SELECT c.id FROM scopes c WHERE c.name = 'weir.beacon');
            COMMENT ON VIEW telemetry_events IS
                'One row for each event of a web page, as the receiver beacon has taken it: spans in other words.'
            """)
}
