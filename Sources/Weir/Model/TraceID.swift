/// The id of a trace, as people write it: 32 hexadecimal digits.
struct TraceID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil where the text is something else, or all zeros, which no trace has.
    init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy(Self.isDigit), let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16), high | low != 0
        else { return nil }
        self.high = high
        self.low = low
    }

    var text: String { high.digits(16, radix: 16) + low.digits(16, radix: 16) }

    /// Of these, `UInt64.init` takes a sign too.
    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        case UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }
}
