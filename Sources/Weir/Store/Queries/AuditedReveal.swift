/// Shows one who may read them what is encrypted in rows that a query has found. Who reads how many values, why and of
/// what is in the audit before anybody sees one.
struct AuditedReveal: Sendable {
    let ring: Keyring
    let fields: [KeyPattern]
    let tenant: String
    /// Who asks.
    let actor: String
    let reason: String
    /// Of whom nothing is shown, though keys and spans may be there again.
    let erased: ErasedKeys

    /// - Parameters:
    ///   - rows: of the tenant.
    ///   - subject: what was asked for.
    /// - Returns: the rows, and how many values in them cannot be read.
    func open<Row: RevealableRow>(
        _ rows: [Row], of subject: String
    ) async throws -> (rows: [Row], unreadable: Int) {
        var finder = SpanReveal(fields, tenant: tenant)
        for row in rows { _ = row.opened(by: &finder) }
        let ids = finder.keyIDs
        guard !ids.isEmpty else { return (rows, 0) }
        var pass = SpanReveal(
            fields, tenant: tenant, with: erased.without(await ring.find(ids)), without: erased.matchers(of: tenant))
        let opened = rows.map { $0.opened(by: &pass) }
        let counts = pass.counts
        let entry = KeyAuditEntry(
            at: .now(), actor: actor, action: "query",
            detail: "\(counts.revealed) values of \(subject) of tenant \(tenant) under \(ids.count) keys: \(reason)")
        try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
        return (opened, counts.unreadable)
    }
}

/// A row that may have ciphertext in it.
protocol RevealableRow: Sendable {
    func opened(by pass: inout SpanReveal) -> Self
}

extension FoundSpan: RevealableRow {
    func opened(by pass: inout SpanReveal) -> Self { pass.reveal(self) }
}

extension TraceSpan: RevealableRow {
    func opened(by pass: inout SpanReveal) -> Self { pass.reveal(self) }
}
