/// Why a destination did not take a batch.
enum ExportError: Error, Equatable {
    /// Sending it again may help, not before `after` where the destination named a time.
    case retryable(_ reason: String, after: Duration?)
    /// The destination cannot take these spans together: too large, or one of them is bad. The delivery halves the
    /// batch until it has the spans that are refused alone, and puts those into the dead letters.
    case rejected(_ reason: String)
    /// The destination does not work for this tenant, such as for a wrong key. Its records are set aside and tried
    /// again later; those of other tenants go on.
    case tenantBlocked(_ tenant: String, _ reason: String)
    /// The destination that this tenant has of its own takes nothing for now. The same; but where no more can be set
    /// aside, records wait in the journal, and none is missed.
    case tenantAway(_ tenant: String, _ reason: String)
}
