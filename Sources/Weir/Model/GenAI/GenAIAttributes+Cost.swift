extension GenAIAttributes {
    /// What a call cost, in 10⁻¹² USD, and who says so; nil where nobody does.
    func cost(of batch: borrowing Batch) -> (amount: Int64, source: CostSource)? {
        if case .string(let text)? = value(.tableCost, of: batch), let amount = Self.pico(text) {
            return (amount, .table)
        }
        return number(.cost, times: 1e12, of: batch).map { ($0, .span) }
    }

    /// Reads `0.000195` as 195,000,000; nil where it is no amount of pico-dollars.
    static func pico(_ text: UnsafeRawBufferPointer) -> Int64? {
        var amount: Int64 = 0
        var decimals: Int?
        for byte in text {
            if byte == UInt8(ascii: "."), decimals == nil {
                decimals = 0
                continue
            }
            guard (0x30...0x39).contains(byte), decimals ?? 0 < 12 else { return nil }
            if decimals != nil { decimals = (decimals ?? 0) + 1 }
            let (tens, tooMany) = amount.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(Int64(byte - 0x30))
            guard !tooMany, !overflow else { return nil }
            amount = sum
        }
        for _ in (decimals ?? 0)..<12 {
            let (tens, overflow) = amount.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            amount = tens
        }
        return text.isEmpty ? nil : amount
    }
}
