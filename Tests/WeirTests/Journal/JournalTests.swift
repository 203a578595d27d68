import Synchronization
import Testing

@testable import Weir

@Suite(.timeLimit(.minutes(1))) struct JournalTests {
    @Test func showsEveryReaderEveryRecordInOrder() async throws {
        let journal = Journal(maxBytes: 20_000)
        let readers = (0..<3).map { _ in journal.addReader(onFull: .refuse) }
        let seen = try await withThrowingTaskGroup(of: [JournalRecord]?.self) { group in
            for reader in readers { group.addTask { await readToTheEnd(reader) } }
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<500 { try await appendWhenThereIsRoom(entry(bytes: 100), to: journal) }
                    return nil
                }
            }
            var seen: [[JournalRecord]] = []
            var finishedWriters = 0
            while let records = try await group.next() {
                if let records { seen.append(records) } else { finishedWriters += 1 }
                if finishedWriters == 4 { journal.close() }
            }
            return seen
        }
        for records in seen { #expect(records.map(\.sequence) == Array(1...2_000)) }
        #expect(seen.count == 3)
        #expect(journal.byteCount == 0)
    }

    @Test func givesReadersEverythingThatWasTakenBeforeTheEnd() async throws {
        for _ in 0..<50 {
            let journal = Journal(maxBytes: 10 << 20)
            let reader = journal.addReader(onFull: .refuse)
            let taken = Counter()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<100 {
                            guard (try? await journal.append(entry(bytes: 1))) != nil else { return }
                            taken.add()
                        }
                    }
                }
                group.addTask {
                    while taken.value < 50 { await Task.yield() }
                    journal.close()
                }
            }
            let count = taken.value
            #expect(await readToTheEnd(reader).map(\.sequence) == (1...count).map(UInt64.init))
        }
    }

    @Test func takesNothingOnceItIsClosed() async throws {
        let journal = Journal(maxBytes: 1_000)
        let reader = journal.addReader(onFull: .refuse)
        #expect(journal.hasRoom(for: 1))
        journal.close()
        #expect(!journal.hasRoom(for: 1))
        await #expect(throws: Refusal.stopping) { try await journal.append(entry(bytes: 1)) }
        #expect(reader.waiting == (0, 0, true))
    }

    @Test func refusesWhatItHasNoRoomFor() async throws {
        let journal = Journal(maxBytes: 1_000)
        let reader = journal.addReader(onFull: .refuse)
        try await journal.append(entry(bytes: 300))
        await #expect(throws: Refusal.overloaded("the journal is full", retryAfter: .seconds(1))) {
            try await journal.append(entry(bytes: 300))
        }
        reader.commit(through: 1)
        try await journal.append(entry(bytes: 300))
    }

    @Test func tellsOfTheRecordsThatAnExporterWillNotSee() async throws {
        let journal = Journal(maxBytes: 1_000)
        let reader = journal.addReader(onFull: .skip)
        let gaps = Mutex<[JournalState.Gap]>([])
        journal.onGap { gap in gaps.withLock { $0.append(gap) } }
        for _ in 1...4 { try await journal.append(entry(spans: 3, bytes: 300)) }
        let wanted = (1...3 as ClosedRange<UInt64>).map {
            JournalState.Gap(cursor: 0, sequences: $0...$0, spans: 3)
        }
        #expect(gaps.withLock { $0 } == wanted)
        #expect(reader.read().map(\.sequence) == [4])
    }

    @Test func keepsWhatItWasGivenWithARecord() async throws {
        let journal = Journal(maxBytes: 10_000)
        let reader = journal.addReader(onFull: .refuse)
        let payload = SampleBatch.payload([(1, SampleBatch.fourOClock)])
        try await journal.append(
            Journal.Entry(
                tenant: "shop", receivedAt: Timestamp(nanoseconds: 7), spanCount: 1, payload: payload))
        let record = try #require(reader.read().first)
        #expect(record.tenant == "shop")
        #expect(record.receivedAt == Timestamp(nanoseconds: 7))
        #expect(record.spanCount == 1)
        #expect(record.payload === payload)
    }

    @Test func wakesAReaderAtTheFirstRecordAndWhenABatchIsFull() async throws {
        let journal = Journal(maxBytes: 64 << 20)
        let reader = journal.addReader(onFull: .refuse)
        try await journal.append(entry(bytes: 1))
        await reader.wait(for: nil)
        try await journal.append(entry(spans: JournalReader.batchSpans, bytes: 1))
        await reader.wait(for: nil)
        try await journal.append(entry(bytes: JournalReader.batchBytes))
        await reader.wait(for: nil)
        journal.close()
        await reader.wait(for: nil)
    }

    @Test func wakesAReaderWhoseTaskIsCancelled() async {
        let journal = Journal(maxBytes: 1_000)
        let reader = journal.addReader(onFull: .refuse)
        let waiting = Task { await reader.wait(for: nil) }
        waiting.cancel()
        await waiting.value
    }
}

private func entry(spans: Int = 1, bytes: Int) -> Journal.Entry {
    Journal.Entry(
        tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: spans, payload: .zeros(bytes))
}

private func appendWhenThereIsRoom(_ entry: Journal.Entry, to journal: Journal) async throws {
    while true {
        do throws(Refusal) {
            return try await journal.append(entry)
        } catch {
            guard case .overloaded = error else { throw error }
            await Task.yield()
        }
    }
}

private func readToTheEnd(_ reader: JournalReader) async -> [JournalRecord] {
    var records: [JournalRecord] = []
    while true {
        let batch = reader.read()
        if let last = batch.last {
            records += batch
            reader.commit(through: last.sequence)
        } else if reader.waiting.isClosed {
            return records
        } else {
            await reader.wait(for: nil)
        }
    }
}
