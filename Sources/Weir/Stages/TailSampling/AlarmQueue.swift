import DequeModule

/// Times at which something is to be looked at, the earliest first.
///
/// Alarms of one wait are set in the order in which they ring. So a row for each wait holds nearly all of them, in
/// order, and a binary heap holds what fits in none.
struct AlarmQueue {
    /// One for each of the three waits of a trace, and one for a wait that has changed.
    private static let rowCount = 4

    struct Alarm: Equatable {
        let time: Timestamp
        let slot: Int32
        /// Of the slot, when the alarm was set.
        let generation: UInt32
        /// Of alarms for the same time, the one that was set first rings first.
        fileprivate var number: UInt64 = 0

        init(time: Timestamp, slot: Int32, generation: UInt32) {
            self.time = time
            self.slot = slot
            self.generation = generation
        }

        fileprivate func rings(before other: Alarm) -> Bool {
            (time.nanoseconds, number) < (other.time.nanoseconds, other.number)
        }
    }

    private var rows = [Deque<Alarm>](repeating: [], count: Self.rowCount)
    private var heap: [Alarm] = []
    private var numbers: UInt64 = 0

    var first: Alarm? { firstRow.map { rows[$0][0] } ?? heap.first }
    var count: Int { rows.reduce(heap.count) { $0 + $1.count } }

    mutating func add(_ alarm: Alarm) {
        var alarm = alarm
        alarm.number = numbers
        numbers += 1
        for row in rows.indices where rows[row].last.map({ $0.time <= alarm.time }) ?? true {
            rows[row].append(alarm)
            return
        }
        heap.append(alarm)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].rings(before: heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Alarm? {
        guard let row = firstRow else { return removeFirstOfHeap() }
        return rows[row].removeFirst()
    }

    /// The row whose first alarm rings before all others; nil if that is the heap's.
    private var firstRow: Int? {
        var earliest = heap.first
        var found: Int?
        for row in rows.indices {
            guard let alarm = rows[row].first, earliest.map({ alarm.rings(before: $0) }) ?? true else { continue }
            (earliest, found) = (alarm, row)
        }
        return found
    }

    private mutating func removeFirstOfHeap() -> Alarm? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].rings(before: heap[least]) { least = child }
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
