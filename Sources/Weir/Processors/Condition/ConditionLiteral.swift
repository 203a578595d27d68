/// A value that stands in a condition.
enum ConditionLiteral: Sendable {
    case `nil`
    case text([UInt8])
    case bool(Bool)
    case int(Int64)
    case double(Double)
}

extension ConditionLiteral {
    init(_ text: String) {
        self = .text(Array(text.utf8))
    }

    /// Whether the value is this one. Values of different types are not; integers and doubles are both numbers.
    func equals(_ value: AnyValue?) -> Bool {
        switch (self, value) {
        case (.nil, nil), (.nil, .empty): true
        case (.bool(let own), .bool(let other)): own == other
        case (.text, .string), (.int, .int), (.int, .double), (.double, .int), (.double, .double): order(of: value) == 0
        default: false
        }
    }

    /// Less than, equal to or greater than 0 where the value stands before, at or behind this one; nil where they have
    /// no order.
    func order(of value: AnyValue?) -> Int? {
        switch (self, value) {
        case (.text(let own), .string(let other)): own.withUnsafeBytes { other.order(to: $0) }
        case (.int(let own), .int(let other)): other < own ? -1 : other > own ? 1 : 0
        case (.int(let own), .double(let other)): Self.order(of: own, to: other).map { -$0 }
        case (.double(let own), .int(let other)): Self.order(of: other, to: own)
        case (.double(let own), .double(let other)): other < own ? -1 : other > own ? 1 : other == own ? 0 : nil
        default: nil
        }
    }

    /// Exact: turning the integer into a double would make 2⁵³ + 1 equal to 2⁵³.
    private static func order(of integer: Int64, to double: Double) -> Int? {
        guard !double.isNaN else { return nil }
        guard double < 0x1p63 else { return -1 }
        guard double >= -0x1p63 else { return 1 }
        let whole = Int64(double.rounded(.towardZero))
        if integer != whole { return integer < whole ? -1 : 1 }
        let fraction = double - double.rounded(.towardZero)
        return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
    }
}
