import Synchronization
import Testing

@testable import Weir

@Suite struct JournalGapTests {
    @Test func reportsAGapOutsideOfItsLock() async throws {
        let journal = Journal(maxBytes: 1_000)
        _ = journal.addReader(onFull: .skip)
        let reported = Mutex<[JournalState.Gap]>([])
        journal.onGap { gap in
            // Would stop the process if the lock was held.
            #expect(journal.byteCount <= 1_000)
            reported.withLock { $0.append(gap) }
        }
        let payload = [UInt8](repeating: 0, count: 500).withUnsafeBytes { Payload.copying($0) }
        for spans in 1...2 {
            try await journal.append(
                Journal.Entry(
                    tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: spans, payload: payload))
        }
        #expect(reported.withLock { $0 } == [JournalState.Gap(cursor: 0, sequences: 1...1, spans: 1)])
    }
}
