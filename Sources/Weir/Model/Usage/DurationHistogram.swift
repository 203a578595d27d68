/// Counts durations in buckets of which eight make an octave, so that a quantile is off by at most 6.25 %.
///
/// Bucket `8e + s` holds what lies in `[2^e · (1 + s/8), 2^e · (1 + (s+1)/8))` nanoseconds; 0 holds 0 too.
struct DurationHistogram: Equatable, Sendable {
    struct Cell: Equatable, Sendable {
        let number: Int16
        var count: Int64
    }

    /// Only those that count something, in their order.
    private(set) var buckets: [Cell] = []

    init() {}

    mutating func removeAll() {
        buckets.removeAll(keepingCapacity: true)
    }

    static func bucket(of nanoseconds: UInt64) -> Int16 {
        guard nanoseconds > 1 else { return 0 }
        let exponent = 63 - nanoseconds.leadingZeroBitCount
        let rest = nanoseconds ^ (1 << UInt64(exponent))
        let eighth = exponent >= 3 ? rest >> UInt64(exponent - 3) : rest << UInt64(3 - exponent)
        return Int16(exponent * 8) + Int16(eighth)
    }

    /// The middle of a bucket, in nanoseconds.
    static func middle(of bucket: Int16) -> Double {
        let octave = Double(sign: .plus, exponent: Int(bucket / 8), significand: 1)
        return octave * (1 + (Double(bucket % 8) + 0.5) / 8)
    }

    mutating func add(_ nanoseconds: UInt64) {
        add(Self.bucket(of: nanoseconds), 1)
    }

    mutating func add(_ bucket: Int16, _ count: Int64) {
        var place = buckets.count
        while place > 0, buckets[place - 1].number >= bucket { place -= 1 }
        if place < buckets.count, buckets[place].number == bucket {
            buckets[place].count &+= count
        } else {
            buckets.insert(Cell(number: bucket, count: count), at: place)
        }
    }

    mutating func merge(_ other: DurationHistogram) {
        for bucket in other.buckets { add(bucket.number, bucket.count) }
    }

    /// In nanoseconds; nil where nothing was counted.
    /// - Parameter quantile: in 0...1.
    func quantile(_ quantile: Double) -> Double? {
        let total = buckets.reduce(0) { $0 + $1.count }
        guard total > 0 else { return nil }
        let wanted = max(1, Int64((quantile * Double(total)).rounded(.up)))
        var seen: Int64 = 0
        for bucket in buckets {
            seen += bucket.count
            if seen >= wanted { return Self.middle(of: bucket.number) }
        }
        return nil
    }

    /// `{"87":3,"88":1}`, as the tables keep it.
    var json: String {
        "{" + buckets.map { "\"\($0.number)\":\($0.count)" }.joined(separator: ",") + "}"
    }

    /// Reads what ``json`` wrote, or what a database makes of it; nil if it is something else.
    init?(json text: String) {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        for pair in text.dropFirst().dropLast().split(separator: ",") {
            let parts = pair.split(separator: ":").map { $0.filter { $0 != "\"" && $0 != " " } }
            guard parts.count == 2, let bucket = Int16(parts[0]), let count = Int64(parts[1]) else { return nil }
            add(bucket, count)
        }
    }
}
