/// The section `recall` of `tail_sampling`.
struct RecallConfiguration: Sendable {
    let directory: String
    let maxBytes: ByteCount
    let maxAge: Duration

    init(_ fields: inout Fields) {
        directory = fields.string("directory", "Where spans that were not kept stay for a while.")
        maxBytes = fields.bytes(
            "max_bytes", default: .gibibytes(4), in: .mebibytes(16) ... .tebibytes(16),
            "What they take; then the oldest go.")
        maxAge = fields.duration(
            "max_age", default: .seconds(1_800), in: .seconds(10) ... .seconds(604_800), "How long they stay at most.")
    }
}
