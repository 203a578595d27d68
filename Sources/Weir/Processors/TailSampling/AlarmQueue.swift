/// Times at which something is to be looked at, the earliest first: a binary heap.
struct AlarmQueue {
    struct Alarm: Equatable {
        let time: Timestamp
        let slot: Int32
        /// Of the slot, when the alarm was set.
        let generation: UInt32
    }

    private var heap: [Alarm] = []

    var first: Alarm? { heap.first }
    var count: Int { heap.count }

    mutating func add(_ alarm: Alarm) {
        heap.append(alarm)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
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
                if heap[child].time < heap[least].time { least = child }
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
