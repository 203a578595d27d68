/// An amount of 10⁻¹² USD as `0.000195`: USD, exactly, without zeros at the end.
struct CostText {
    private static let dollar: UInt64 = 1_000_000_000_000

    /// The amount without the zeros at its end.
    private let digits: UInt64
    /// Those of the digits that stand behind the point.
    private let decimals: Int
    /// Bytes of the text.
    let count: Int

    /// - Parameter amount: what is negative is 0.
    init(_ amount: Int64) {
        let amount = UInt64(max(0, amount))
        var (rest, decimals) = (amount, 12)
        // List prices leave many zeros.
        while decimals > 0, rest % 1_000 == 0 { (rest, decimals) = (rest / 1_000, decimals - 3) }
        while decimals > 0, rest % 10 == 0 { (rest, decimals) = (rest / 10, decimals - 1) }
        var (whole, count) = (amount / Self.dollar, decimals > 0 ? decimals + 2 : 1)
        while whole > 9 { (whole, count) = (whole / 10, count + 1) }
        (digits, self.decimals, self.count) = (rest, decimals, count)
    }

    /// - Parameter text: ``count`` bytes.
    func write(to text: UnsafeMutablePointer<UInt8>) {
        var (rest, place) = (digits, count)
        func put(_ digits: Int) {
            for _ in 0..<digits {
                place -= 1
                text[place] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            }
        }
        put(decimals)
        if decimals > 0 {
            place -= 1
            text[place] = UInt8(ascii: ".")
        }
        put(place)
    }
}
