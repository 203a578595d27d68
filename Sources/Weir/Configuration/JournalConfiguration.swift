/// The section `service.journal`.
struct JournalConfiguration: Sendable {
    /// Where each pipeline has a directory of its own.
    let directory: String
    /// The spans that a pipeline holds, in bytes. Reaching it, the receivers answer 503.
    let maxBytes: ByteCount
    /// What the dead letters of one exporter of one pipeline may take.
    let maxDeadLetters: ByteCount
    /// What the parked records of one exporter of one pipeline may take.
    let maxParked: ByteCount

    init(_ fields: inout Fields) {
        directory = fields.string(
            "directory", default: "data/journal", "Where the journal is; created where it is missing.")
        maxBytes = fields.bytes(
            "max_bytes", default: .mebibytes(128), in: .mebibytes(1) ... .tebibytes(1),
            "The spans a pipeline holds at most; beyond it the receivers answer 503.")
        // A single record must always fit.
        let sizes = ByteCount.mebibytes(128) ... .tebibytes(1)
        maxDeadLetters = fields.section("dead_letters", "Spans that a destination cannot take.") {
            $0.bytes(
                "max_bytes", default: .gibibytes(1), in: sizes,
                "What they take for each exporter; beyond it the exporter's delivery waits.")
        }
        maxParked = fields.section("parked", "Records of tenants for whom a destination does not work.") {
            $0.bytes(
                "max_bytes", default: .gibibytes(1), in: sizes,
                "What they take for each exporter; beyond it the exporter's delivery waits.")
        }
    }

    /// What belongs to one pipeline lies below.
    func directory(of pipeline: ComponentID) -> String {
        "\(directory)/\(pipeline.fileName)"
    }
}
