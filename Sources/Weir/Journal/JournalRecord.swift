/// One processed batch as the journal keeps it and every exporter gets it: OTLP protobuf and a small header.
struct JournalRecord: Sendable {
    /// Dense, per journal, from 1.
    let sequence: UInt64
    let tenant: String
    /// When the last byte of the request came.
    let receivedAt: Timestamp
    let spanCount: Int
    /// An ExportTraceServiceRequest.
    let payload: Payload
    /// What the record says beside its spans.
    var section = RecordSection()
}
