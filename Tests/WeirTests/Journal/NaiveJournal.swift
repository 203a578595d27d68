@testable import Weir

/// What a journal is, as plainly as it can be said: for each exporter a list of what it has not got yet. Slow, and
/// without any of the arithmetic that it is compared with.
struct NaiveJournal {
    struct Record: Equatable {
        let sequence: UInt64
        let spans: Int
        let size: Int
    }

    struct Reader {
        let onFull: FullPolicy
        var waiting: [Record] = []
        var deliveredSpans = 0
        var skippedSpans = 0
    }

    let maxBytes: Int
    var readers: [Reader]
    private(set) var acceptedSpans = 0
    private(set) var acceptedRecords: UInt64 = 0

    init(maxBytes: Int, readers: [FullPolicy]) {
        self.maxBytes = maxBytes
        self.readers = readers.map { Reader(onFull: $0) }
    }

    /// Bytes of the records that at least one of these readers waits for.
    private func held(by readers: [Reader]) -> Int {
        var sizes: [UInt64: Int] = [:]
        for record in readers.flatMap(\.waiting) { sizes[record.sequence] = record.size }
        return sizes.values.reduce(0, +)
    }

    var bytes: Int { held(by: readers) }

    func hasRoom(for size: Int) -> Bool {
        held(by: readers.filter { $0.onFull == .refuse }) + size <= maxBytes
    }

    /// - Returns: what is skipped to make room, oldest first; nil when there is none.
    mutating func append(spans: Int, size: Int) -> [(reader: Int, record: Record)]? {
        guard hasRoom(for: size) else { return nil }
        var skipped: [(Int, Record)] = []
        while bytes + size > maxBytes {
            let candidates = readers.indices.filter { readers[$0].onFull == .skip && !readers[$0].waiting.isEmpty }
            guard
                let furthestBehind = candidates.min(by: {
                    readers[$0].waiting[0].sequence < readers[$1].waiting[0].sequence
                })
            else { return nil }
            let record = readers[furthestBehind].waiting.removeFirst()
            readers[furthestBehind].skippedSpans += record.spans
            skipped.append((furthestBehind, record))
        }
        acceptedRecords += 1
        acceptedSpans += spans
        let record = Record(sequence: acceptedRecords, spans: spans, size: size)
        for index in readers.indices { readers[index].waiting.append(record) }
        return skipped
    }

    func read(_ reader: Int, maxSpans: Int, maxBytes: Int) -> [Record] {
        var batch: [Record] = []
        for record in readers[reader].waiting {
            let grown = batch + [record]
            let payloadBytes = grown.reduce(0) { $0 + $1.size - JournalState.recordOverhead }
            let isOver = grown.reduce(0) { $0 + $1.spans } > maxSpans || payloadBytes > maxBytes
            if !batch.isEmpty && isOver { break }
            batch = grown
        }
        return batch
    }

    mutating func commit(_ reader: Int, through sequence: UInt64) {
        let done = readers[reader].waiting.filter { $0.sequence <= sequence }
        readers[reader].deliveredSpans += done.reduce(0) { $0 + $1.spans }
        readers[reader].waiting.removeAll { $0.sequence <= sequence }
    }
}
