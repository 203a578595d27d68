/// Which partitions the spans of a record belong to, by when the collector took it: few, whatever their clocks say.
///
/// A span whose clock cannot be right is moved as in ``ClockWindow``. One that is late or early, but may be right, goes
/// to the first hour of its day. So a sender who invents times has ``maximumPartitions`` files open at most.
///
/// It depends on nothing but the record: brought again, after whatever restart, a span goes to the same partition.
struct ArchiveWindow {
    /// What a span may be late or early by, and still stand in its own hour.
    static let reach: UInt64 = 6 * 3_600_000_000_000
    /// Of a tenant at a time: the days, and the hours about now.
    static let maximumPartitions = ClockWindow.pastDays + ClockWindow.futureDays + 1 + 13

    private let window: ClockWindow
    private let near: ClosedRange<UInt64>

    init(receivedAt: Timestamp) {
        window = ClockWindow(receivedAt: receivedAt)
        let time = receivedAt.nanoseconds
        near = time - min(time, Self.reach)...time + min(.max - time, Self.reach)
    }

    /// Since 1970.
    func hour(of start: UInt64) -> Int {
        let time = window.clamp(start)
        let hour = ArchivePartition.hour(of: time)
        return near.contains(time) ? hour : hour - hour % 24
    }

    /// Whether the span stands on another day than its clock says.
    func isSuspect(_ start: UInt64) -> Bool { window.clamp(start) != start }
}
