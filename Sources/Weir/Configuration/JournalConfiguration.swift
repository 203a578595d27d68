/// The section `service.journal`.
struct JournalConfiguration: Sendable {
    /// The spans that a pipeline holds, in bytes. Reaching it, the receivers answer 503.
    let maxBytes: ByteCount

    init(_ fields: inout Fields) {
        maxBytes = fields.bytes(
            "max_bytes", default: .mebibytes(128), in: .mebibytes(1) ... .tebibytes(1),
            "The spans a pipeline holds at most; beyond it the receivers answer 503.")
    }
}
