/// Counts durations in buckets of which eight make an octave, so that a quantile is off by at most 6.25 %.
///
/// Bucket `8e + s` holds what lies in `[2^e · (1 + s/8), 2^e · (1 + (s+1)/8))` nanoseconds; 0 holds 0 too.
struct DurationHistogram: Equatable, Sendable {
    /// By bucket; only those that count something.
    private(set) var counts: [Int16: Int64] = [:]

    init() {}

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
        counts[bucket, default: 0] &+= count
    }

    mutating func merge(_ other: DurationHistogram) {
        for (bucket, count) in other.counts { add(bucket, count) }
    }

    /// In nanoseconds; nil where nothing was counted.
    /// - Parameter quantile: in 0...1.
    func quantile(_ quantile: Double) -> Double? {
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return nil }
        let wanted = max(1, Int64((quantile * Double(total)).rounded(.up)))
        var seen: Int64 = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= wanted { return Self.middle(of: bucket) }
        }
        return nil
    }

    /// `{"87":3,"88":1}`, as the tables keep it.
    var json: String {
        "{" + counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// Reads what ``json`` wrote, or what a database makes of it; nil if it is something else.
    init?(json text: String) {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        for pair in text.dropFirst().dropLast().split(separator: ",") {
            let parts = pair.split(separator: ":").map { $0.filter { $0 != "\"" && $0 != " " } }
            guard parts.count == 2, let bucket = Int16(parts[0]), let count = Int64(parts[1]) else { return nil }
            counts[bucket, default: 0] += count
        }
    }
}
