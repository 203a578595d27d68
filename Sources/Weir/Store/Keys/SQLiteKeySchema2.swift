extension SQLiteMigration {
    static let secondKeys = SQLiteMigration(
        version: 2, name: "an audit entry takes no other one's place",
        sql: """
            -- REPLACE deletes what is in its way, and no trigger for that is asked. What is given no id has -1 here.
            CREATE TRIGGER key_audit_grows BEFORE INSERT ON key_audit
                WHEN NEW.id <> -1 AND EXISTS (SELECT 1 FROM key_audit WHERE id = NEW.id)
                BEGIN SELECT RAISE(ABORT, 'the audit grows only'); END;
            """)
}
