/// How many of 2⁵⁶ equally likely traces a sampler rejects: the rejection threshold `T` of OpenTelemetry's
/// tracestate-probability-sampling, `th` in a trace state. The traces that it keeps are those whose randomness is not
/// below it, so whoever keeps a tenth keeps some of what anybody keeps who keeps a fifth.
struct SamplingThreshold: BitwiseCopyable, Comparable, Sendable {
    /// All that there are: the specification's MaxAdjustedCount.
    static let all: UInt64 = 1 << 56
    static let digits = 14
    /// Significant digits of a threshold that is made of a probability: what the specification recommends.
    static let defaultPrecision = 4

    static let always = SamplingThreshold(rejected: 0)
    /// Keeps nothing. It is no probability, and never stands in a trace state.
    static let never = SamplingThreshold(rejected: all)

    /// At most ``all``.
    let rejected: UInt64

    private init(rejected: UInt64) {
        self.rejected = rejected
    }

    /// - Parameter rejected: of 2⁵⁶; more counts as all.
    init(rejecting rejected: UInt64) {
        self.rejected = min(rejected, Self.all)
    }

    /// - Parameters:
    ///   - probability: from 0 to 1. What is above 0 counts as 2⁻⁵⁶ at least, which is the least there is.
    ///   - precision: hexadecimal digits, 1...14, beside those that are `f` or `0` at the beginning because the
    ///     probability is small or large. So the error stays in proportion.
    init(probability: Double, precision: Int = defaultPrecision) {
        guard probability > 0 else {
            self = .never
            return
        }
        guard probability < 1 else {
            self = .always
            return
        }
        let exact = Self.all - UInt64((max(probability, 0x1p-56) * 0x1p56).rounded())
        let digits = min(
            Self.digits, precision + max(Self.leading(probability), Self.leading(1 - probability)))
        let shift = UInt64(4 * (Self.digits - digits))
        guard shift > 0 else {
            rejected = exact
            return
        }
        // Rounded to the nearest. It never becomes 2⁵⁶: the digits that are left can tell the probability from 0.
        rejected = ((exact + (1 << (shift - 1))) >> shift) << shift
    }

    /// Hexadecimal digits that are 0 in front of the first that is not, in a number of (0, 1).
    private static func leading(_ number: Double) -> Int {
        // The exponent of a significand in [0.5, 1), as the specification counts, not in [1, 2).
        max(0, -(Int(number.exponent) + 1) / 4)
    }

    /// A `th` of a trace state: 1 to 14 digits, zeros at the end left out; nil if it is something else.
    init?(text: UnsafeRawBufferPointer) {
        guard (1...Self.digits).contains(text.count), let number = text.hexadecimalNumber else { return nil }
        rejected = number << UInt64(4 * (Self.digits - text.count))
    }

    /// Writes the `th`.
    func write(to text: inout [UInt8]) {
        var rest = rejected
        repeat {
            text.append(Self.digit(rest >> 52 & 0xF))
            rest = rest << 4 & SamplingRandomness.mask
        } while rest != 0
    }

    static func digit(_ value: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }

    func keeps(_ randomness: SamplingRandomness) -> Bool { randomness.bits >= rejected }

    /// From 0 to 1.
    var probability: Double { Double(Self.all - rejected) / Double(Self.all) }

    /// How many spans one that was kept stands for; infinite for ``never``.
    var adjustedCount: Double { Double(Self.all) / Double(Self.all - rejected) }

    static func < (left: SamplingThreshold, right: SamplingThreshold) -> Bool { left.rejected < right.rejected }
}

extension SamplingThreshold {
    /// What OpenTelemetry calls equalizing: "a downstream sampler is permitted to decrease sampling probability", so
    /// of what was decided before and what is to be, the larger.
    func equalized(with earlier: SamplingThreshold?) -> SamplingThreshold {
        earlier.map { max(self, $0) } ?? self
    }

    /// What OpenTelemetry calls proportional: keeps this part of what was kept before.
    static func proportional(
        _ ratio: Double, of earlier: SamplingThreshold?, precision: Int = defaultPrecision
    ) -> SamplingThreshold {
        let product = ratio * (earlier?.probability ?? 1)
        // "If T_o is smaller than the minimum probability threshold, the span is not sampled."
        return product < 0x1p-56 ? .never : SamplingThreshold(probability: product, precision: precision)
    }
}

extension UnsafeRawBufferPointer {
    /// Of up to 16 hexadecimal digits; nil if there is none, or something else.
    var hexadecimalNumber: UInt64? {
        guard (1...16).contains(count) else { return nil }
        var number: UInt64 = 0
        for byte in self {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}
