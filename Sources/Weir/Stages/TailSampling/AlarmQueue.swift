/// Times at which something is to be looked at, the earliest first: a binary heap.
struct AlarmQueue {
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

    private var heap: [Alarm] = []
    private var numbers: UInt64 = 0

    var first: Alarm? { heap.first }
    var count: Int { heap.count }

    mutating func add(_ alarm: Alarm) {
        var alarm = alarm
        alarm.number = numbers
        numbers += 1
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
