import Testing

@testable import Weir

extension JournalModel {
    /// The process ends, or the power fails, and another one opens the journal.
    mutating func reopen(isCrash: Bool) throws {
        let disk = isCrash ? core.disk.afterCrash(seed: random.next()) : core.disk
        disk.repair()
        // As somebody finds it who only looks.
        var found: [UInt64: (number: Int, load: Load)] = [:]
        let first = try JournalRecovery(disk, isReadOnly: true).segments.first?.firstSequence ?? .max
        _ = try JournalRecovery(disk, isReadOnly: true) { index in
            for entry in index.entries where entry.sequence >= first {
                found[entry.sequence] = (Int(entry.receivedAt.nanoseconds), entry.load)
            }
        }
        for (sequence, (number, load)) in found {
            if let before = kept[sequence] {
                try #require(before.number == number && before.load == load, what)
            } else {
                try #require(uncertain.contains(number), what)
                kept[sequence] = Kept(number: number, load: load)
            }
        }
        for sequence in kept.keys where found[sequence] == nil {
            kept[sequence] = nil
            if readers.allSatisfy({ $0.isDone(sequence) }) { continue }
            try #require(isCrash && sequence >= durableBelow, "\(what): sequence \(sequence)")
            try #require(readers.allSatisfy { !$0.delivered.contains(sequence) }, what)
        }
        uncertain = []
        core = try JournalCore(limits, for: readers.map(\.destination), on: disk)
        gapsTaken = 0
        try takeGaps()
        isSound = true
        durableBelow = core.nextSequence
        for index in readers.indices {
            let cursor = core.state.readers[index].cursor
            for sequence in kept.keys where cursor.isDone(sequence) {
                try #require(readers[index].isDone(sequence), what)
            }
            if !isCrash {
                for sequence in kept.keys where readers[index].written.isDone(sequence) {
                    try #require(cursor.isDone(sequence), what)
                }
            }
            readers[index].given = []
            readers[index].isVague = readers[index].destination.onFull == .skip && !cursor.done.isEmpty
            readers[index].written = cursor
        }
    }

    /// Compares what is counted.
    func check() throws {
        let state = core.state
        for (reader, model) in zip(state.readers, readers) where !model.isVague {
            var wanted = Load()
            for (sequence, record) in kept where sequence < state.head && !reader.cursor.isDone(sequence) {
                wanted.add(record.load)
            }
            try #require(reader.unsettled == wanted, what)
            try #require(state.usedBytes >= reader.unsettled.bytes, what)
        }
        try #require(state.usedBytes <= core.fileBytes, what)
        try #require(state.usedBytes <= limits.maxBytes, what)
        if isSound {
            let files = core.disk.contents.filter { $0.key.hasSuffix(".seg") }
            try #require(core.fileBytes == files.reduce(0) { $0 + $1.value.count }, what)
        }
    }
}
