/// What tables show instead of all digits.
enum ShortText {
    /// `850ns`, `12.3µs`, `4.56ms`, `1.23s`, `2m3s`, `3h25m`.
    /// - Parameter nanoseconds: nil is not known.
    static func duration(_ nanoseconds: Int64?) -> String {
        guard let nanoseconds else { return "-" }
        let sign = nanoseconds < 0 ? "-" : ""
        let count = nanoseconds.magnitude
        switch count {
        case ..<1_000: return "\(sign)\(count)ns"
        case ..<1_000_000: return sign + digits(count, 1_000) + "µs"
        case ..<1_000_000_000: return sign + digits(count, 1_000_000) + "ms"
        case ..<60_000_000_000: return sign + digits(count, 1_000_000_000) + "s"
        default: break
        }
        let seconds = count / 1_000_000_000
        if seconds < 3_600 { return "\(sign)\(seconds / 60)m\(seconds % 60)s" }
        return "\(sign)\(seconds / 3_600)h\(seconds / 60 % 60)m"
    }

    /// `2026-02-03 04:05:06.007`
    static func time(_ time: Timestamp) -> String {
        let calendar = CalendarTime(time)
        return "\(calendar.date) \(calendar.time).\((time.nanoseconds / 1_000_000 % 1_000).digits(3))"
    }

    /// `2026-02-03 04:05`
    static func minute(_ time: Timestamp) -> String {
        let calendar = CalendarTime(time)
        return "\(calendar.date) \(calendar.time.prefix(5))"
    }

    /// `0.12%`
    static func percent(_ share: Double) -> String {
        let hundredths = Int((share * 10_000).rounded())
        return "\(hundredths / 100).\((hundredths % 100).digits(2))%"
    }

    /// `512 B`, `1.25 MiB`.
    static func bytes(_ count: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard count >= 1_024 else { return "\(count) B" }
        var unit = 0
        var size = UInt64(1_024)
        while unit + 1 < units.count, UInt64(count) / size >= 1_024 {
            size *= 1_024
            unit += 1
        }
        return digits(UInt64(count), size) + " " + units[unit]
    }

    /// The quotient, with three digits that count; cut, not rounded, so that it never shows the next unit.
    private static func digits(_ count: UInt64, _ unit: UInt64) -> String {
        let whole = count / unit
        let thousandths = count % unit * 1_000 / unit
        switch whole {
        case 100...: return "\(whole)"
        case 10..<100: return "\(whole).\(thousandths / 100)"
        default: return "\(whole).\((thousandths / 10).digits(2))"
        }
    }
}
