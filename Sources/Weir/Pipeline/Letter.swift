/// A record that a destination did not take, as it is put on disk.
struct Letter: Sendable {
    /// When it was put there.
    let time: Timestamp
    /// Whose destination it is for.
    let exporter: String
    let reason: String
    let kept: KeptRecord

    /// JSON, so that a person can read why something is there, and a line feed.
    var line: [UInt8] {
        let record = kept.record
        var writer = JSONWriter(capacity: 512 + record.payload.count / 3 * 4)
        writer.raw("{\"time\":")
        writer.string(time.text)
        writer.raw(",\"exporter\":")
        writer.string(exporter)
        writer.raw(",\"reason\":")
        writer.string(reason)
        writer.raw(",\"journal\":")
        writer.string(kept.journal.text)
        writer.raw(",\"sequence\":")
        writer.number(record.sequence)
        writer.raw(",\"tenant\":")
        writer.string(record.tenant)
        writer.raw(",\"receivedAt\":")
        writer.quoted(record.receivedAt.nanoseconds)
        writer.raw(",\"spans\":")
        writer.number(UInt64(record.spanCount))
        if !record.section.bytes.isEmpty {
            writer.raw(",\"section\":")
            record.section.bytes.withUnsafeBytes { writer.base64($0) }
        }
        if record.codec != 0 {
            writer.raw(",\"codec\":")
            writer.number(UInt64(record.codec))
        }
        writer.raw(",\"otlp\":")
        withExtendedLifetime(record.payload) { writer.base64($0.bytes) }
        writer.raw("}\n")
        return Array(writer.written)
    }
}
