extension PostgresMigration {
    /// For how many spans a stored one stands, and the calls whose spans are not stored.
    static let second = PostgresMigration(
        version: 2, name: "sampling",
        sql: """
            ALTER TABLE spans ADD COLUMN adjusted_count double precision;
            COMMENT ON COLUMN spans.adjusted_count IS
                'How many spans this one stands for, by its sampling threshold; NULL where nobody says.';
            ALTER TABLE llm_usage ADD COLUMN sampled_out_by text;
            COMMENT ON COLUMN llm_usage.sampled_out_by IS
                'The rule that sampled the call''s span out, so that spans does not have it; NULL where it has.'
            """)
}
