import Testing

@testable import Weir

@Suite struct LetterEntryTests {
    private let record = JournalRecord(
        sequence: 12, tenant: "Käse \"&\" Söhne\n", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock + 5),
        spanCount: 2, payload: SampleBatch.payload([(1, 5), (2, 6)]), section: .sample)

    @Test func isALineThatAPersonCanRead() {
        let line = text(SampleBatch.record([(1, 5)], tenant: "shop", sequence: 12))
        #expect(
            line.hasPrefix(
                #"{"time":"2026-02-03T04:00:00.000000000Z","exporter":"otlp_http/a","reason":"it said \"no\"","#
                    + #""journal":"00000000000000ff","sequence":12,"tenant":"shop","#
                    + #""receivedAt":"1770091200000000000","spans":1,"otlp":"C"#))
        #expect(line.hasSuffix("\"}\n"))
    }

    @Test func isReadBackAsItWas() throws {
        let line = Array(text(record).utf8.dropLast())
        guard case .record(let kept) = line.withUnsafeBytes({ LetterEntry(parsing: $0) }) else {
            Issue.record("it is no record")
            return
        }
        #expect(kept.journal == JournalID(value: 255))
        #expect(kept.record.sequence == record.sequence)
        #expect(kept.record.tenant == record.tenant)
        #expect(kept.record.receivedAt == record.receivedAt)
        #expect(kept.record.spanCount == record.spanCount)
        #expect(Array(kept.record.payload.bytes) == Array(record.payload.bytes))
        #expect(kept.record.section == record.section)
    }

    @Test func readsAPayloadOfEveryLength() throws {
        for count in 0..<70 {
            let payload = Payload.copying((0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) })
            let record = JournalRecord(
                sequence: 1, tenant: "", receivedAt: Timestamp(nanoseconds: 0), spanCount: 0, payload: payload)
            let line = Array(text(record).utf8)
            guard case .record(let kept) = line.withUnsafeBytes({ LetterEntry(parsing: $0) }) else {
                Issue.record("\(count) bytes are no record")
                continue
            }
            #expect(Array(kept.record.payload.bytes) == Array(payload.bytes))
        }
    }

    @Test func readsHowFarTheLinesAreDone() {
        let line = LetterEntry.doneLine(before: 4_711)
        guard case .done(before: 4_711) = line.withUnsafeBytes({ LetterEntry(parsing: $0) }) else {
            Issue.record("it says something else")
            return
        }
    }

    @Test(arguments: [
        "", "\n", "{}", "[]", "nonsense", #"{"done":}"#, #"{"done":1"#, #"{"done":1}{"done":2}"#,
        #"{"journal":"zz","sequence":1,"tenant":"a","spans":1,"otlp":""}"#,
        #"{"journal":"ff","sequence":1,"tenant":"a","spans":1}"#,
        #"{"journal":"ff","sequence":1,"tenant":"a","spans":1,"otlp":"!"}"#,
    ])
    func isNothingElse(line: String) {
        #expect(Array(line.utf8).withUnsafeBytes { LetterEntry(parsing: $0) } == nil)
    }

    @Test func isCutOffNowhereWithoutANotice() {
        let line = Array(text(record).utf8.dropLast())
        for count in 0..<line.count {
            #expect(line[..<count].withUnsafeBytes { LetterEntry(parsing: $0) } == nil, "\(count) bytes")
        }
    }

    private func text(_ record: JournalRecord) -> String {
        let letter = Letter(
            time: Timestamp(nanoseconds: SampleBatch.fourOClock), exporter: "otlp_http/a", reason: "it said \"no\"",
            kept: KeptRecord(journal: JournalID(value: 255), record: record))
        return String(decoding: letter.line, as: UTF8.self)
    }
}
