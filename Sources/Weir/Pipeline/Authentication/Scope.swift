/// What a client may do.
enum Scope: String, Sendable, CaseIterable {
    /// Send spans.
    case ingest
    /// Ask for what is stored.
    case read
    /// Ask for it with what is encrypted in clear.
    case reveal
    /// Change what the collector does.
    case admin
    /// Send what browsers send. Such a key is public.
    case beacon
}
