extension SQLiteMigration {
    /// Indexes that put the spans of ten seconds in the order in which they came. With the time itself in its place,
    /// spans that come together went to pages all over the indexes, each of which was written again.
    static let fifthDay = SQLiteMigration(
        version: 5, name: "indexes by ten seconds",
        sql: """
            DROP INDEX spans_operation;
            DROP INDEX spans_time;
            DROP INDEX spans_error;
            DROP INDEX spans_session;
            DROP INDEX spans_conversation;
            DROP INDEX spans_user;
            DROP INDEX spans_call;
            CREATE INDEX spans_operation ON spans (tenant_id, service, name, start_time / 10000000);
            CREATE INDEX spans_time ON spans (start_time / 10000000);
            CREATE INDEX spans_error ON spans (tenant_id, start_time / 10000000) WHERE status = 2;
            CREATE INDEX spans_session ON spans (tenant_id, session_id, start_time / 10000000)
                WHERE session_id IS NOT NULL;
            CREATE INDEX spans_conversation ON spans (tenant_id, conversation_id, start_time / 10000000)
                WHERE conversation_id IS NOT NULL;
            CREATE INDEX spans_user ON spans (tenant_id, user_id, start_time / 10000000) WHERE user_id IS NOT NULL;
            CREATE INDEX spans_call ON spans (tenant_id, call_id, start_time / 10000000) WHERE call_id IS NOT NULL;
            """)
}
