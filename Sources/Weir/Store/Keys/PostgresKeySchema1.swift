extension PostgresMigration {
    /// Those of the schema of data keys, in their order.
    static let keys = [firstKeys]

    static let firstKeys = PostgresMigration(
        version: 1, name: "data keys",
        sql: """
            CREATE TABLE data_keys (
                id bigint PRIMARY KEY,
                tenant text NOT NULL,
                class smallint NOT NULL,
                suite smallint NOT NULL,
                day date NOT NULL,
                subject text NOT NULL,
                created_at timestamptz NOT NULL,
                wrapped_by text NOT NULL,
                wrapped text,
                commitment text NOT NULL,
                destroyed_at timestamptz
            );
            CREATE INDEX data_keys_day ON data_keys (day) WHERE destroyed_at IS NULL;
            CREATE INDEX data_keys_subject ON data_keys (tenant, subject) WHERE subject <> '';
            CREATE INDEX data_keys_destroyed ON data_keys (destroyed_at) WHERE destroyed_at IS NOT NULL;
            CREATE UNIQUE INDEX data_keys_index ON data_keys (class) WHERE class = 3;
            COMMENT ON TABLE data_keys IS
                'One row for each data key, wrapped with the key encryption key wrapped_by; without it once destroyed.';

            CREATE TABLE key_audit (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at timestamptz NOT NULL,
                actor text NOT NULL,
                action text NOT NULL,
                detail text NOT NULL
            );
            COMMENT ON TABLE key_audit IS 'Who used keys: grows only.';
            CREATE FUNCTION key_audit_stays() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'the audit grows only'; END $$;
            CREATE TRIGGER key_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON key_audit
                EXECUTE FUNCTION key_audit_stays();

            CREATE TABLE key_backups (
                host text NOT NULL,
                path text NOT NULL,
                made_at timestamptz NOT NULL,
                PRIMARY KEY (host, path)
            );
            COMMENT ON TABLE key_backups IS 'One row for each copy of data_keys, which is a file on that host.'
            """)
}
