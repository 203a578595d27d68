/// Why a destination did not take a batch.
enum ExportError: Error, Equatable {
    /// Sending it again may help, not before `after` where the destination named a time.
    case retryable(_ reason: String, after: Duration?)
    /// Sending it again cannot help.
    case permanent(_ reason: String)
}
