extension [UInt8] {
    /// - Returns: nil where the text is not pairs of hexadecimal digits.
    init?(hexadecimal text: String) {
        let digits = text.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Two small digits a byte.
    var hexadecimal: String { reduce(into: "") { $0 += $1.digits(2, radix: 16) } }
}
