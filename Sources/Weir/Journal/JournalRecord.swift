/// One processed batch as the journal keeps it and every exporter gets it: OTLP protobuf and a small header.
struct JournalRecord: Sendable {
    /// Dense, per journal, from 1.
    let sequence: UInt64
    let tenant: String
    /// When the last byte of the request came.
    let receivedAt: Timestamp
    let spanCount: Int
    /// An ExportTraceServiceRequest.
    var payload: Payload
    /// What the record says beside its spans.
    var section = RecordSection()
    /// How `payload` is encoded: 0 as it is, else as a ``RecordCodec`` made it.
    var codec: UInt8 = 0
}
