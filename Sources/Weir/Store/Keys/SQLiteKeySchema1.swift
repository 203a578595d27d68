extension SQLiteMigration {
    static let firstKeys = SQLiteMigration(
        version: 1, name: "data keys",
        sql: """
            CREATE TABLE data_keys (
                -- The bits of the id that stands in ciphertexts.
                id integer PRIMARY KEY,
                tenant text NOT NULL,
                -- 1 field, 2 journal, 3 index, 4 archive.
                class integer NOT NULL,
                -- 1 XAES-256-GCM, 2 AES-256-GCM.
                suite integer NOT NULL,
                -- Days since 1970-01-01, UTC.
                day integer NOT NULL,
                -- Stands for the data subject, in hexadecimal digits; empty for a key that is nobody's.
                subject text NOT NULL,
                -- Microseconds since 1970, as all times.
                created_at integer NOT NULL,
                -- The id of the key encryption key.
                wrapped_by text NOT NULL,
                -- RFC 3394, in hexadecimal digits; NULL once destroyed.
                wrapped text,
                commitment text NOT NULL,
                destroyed_at integer
            );
            CREATE INDEX data_keys_day ON data_keys (day) WHERE destroyed_at IS NULL;
            CREATE INDEX data_keys_subject ON data_keys (tenant, subject) WHERE subject <> '';
            CREATE INDEX data_keys_destroyed ON data_keys (destroyed_at) WHERE destroyed_at IS NOT NULL;
            CREATE UNIQUE INDEX data_keys_index ON data_keys (class) WHERE class = 3;

            CREATE TABLE key_audit (
                -- Who used keys: grows only.
                id integer PRIMARY KEY AUTOINCREMENT,
                at integer NOT NULL,
                actor text NOT NULL,
                action text NOT NULL,
                detail text NOT NULL
            );
            CREATE TRIGGER key_audit_stays BEFORE DELETE ON key_audit
                BEGIN SELECT RAISE(ABORT, 'the audit grows only'); END;
            CREATE TRIGGER key_audit_is_fixed BEFORE UPDATE ON key_audit
                BEGIN SELECT RAISE(ABORT, 'the audit grows only'); END;

            CREATE TABLE key_backups (
                path text PRIMARY KEY,
                made_at integer NOT NULL
            );
            """)
}
