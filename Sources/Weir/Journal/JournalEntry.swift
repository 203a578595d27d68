/// A record to be: everything but its place in the journal.
struct JournalEntry: Sendable {
    let tenant: String
    let receivedAt: Timestamp
    let spanCount: Int
    /// An ExportTraceServiceRequest.
    var payload: Payload
    var section = RecordSection()
    /// By which the same request is known when it comes again; ``RequestKey/none`` for one that is never taken for
    /// another.
    var key = RequestKey.none
    /// What the client is told about rejected spans.
    var rejected = Rejections()

    /// As ``JournalRecord/codec``.
    var codec: UInt8 = 0
    /// Of that codec, for the header; 0 for none.
    var keyID: UInt32 = 0
    /// What has to be there before the record may be.
    var prerequisites: [Prerequisite] = []

    /// What of `rejected` stands in the record.
    var answer: String { rejected.count > 0 ? rejected.text : "" }

    /// Bytes that it takes in a segment.
    var size: Int {
        RecordHeader.stride(of: tenant.utf8.count + answer.utf8.count + section.bytes.count + payload.count)
    }
}
