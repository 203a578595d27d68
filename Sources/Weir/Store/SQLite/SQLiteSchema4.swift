extension SQLiteMigration {
    /// What web pages have sent.
    static let fourthDay = SQLiteMigration(
        version: 4, name: "telemetry events",
        sql: """
            CREATE VIEW telemetry_events AS
                -- One row for each event of a web page, as the receiver beacon has taken it: spans in other words.
                SELECT t.name AS tenant, s.start_time AS event_time, printf('%016x', s.span_id) AS event_id, s.name,
                    coalesce(s.attributes ->> '$."weir.event.version"', 1) AS schema_version,
                    1 / coalesce(s.adjusted_count, 1) AS sample_rate, lower(hex(s.trace_id)) AS trace_id,
                    s.session_id, s.attributes ->> '$."browser.origin"' AS source, s.attributes AS payload
                FROM spans s JOIN tenants t ON t.id = s.tenant_id
                WHERE s.scope_id IN (SELECT id FROM scopes WHERE name = 'weir.beacon');
            """)
}
