extension SQLiteMigration {
    /// For how many spans a stored one stands, and the calls whose spans are not stored.
    static let secondDay = SQLiteMigration(
        version: 2, name: "sampling",
        sql: """
            ALTER TABLE spans ADD COLUMN
                -- How many spans this one stands for, by its sampling threshold; NULL where nobody says.
                adjusted_count real;
            ALTER TABLE llm_usage ADD COLUMN
                -- The rule that sampled the call's span out, so that spans does not have it; NULL where it has.
                sampled_out_by text;
            """)
}
