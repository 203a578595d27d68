extension GenAIAttributes {
    /// More than this no call costs, in 10⁻¹² USD: who says more counts in something else than dollars.
    static let maximumSaidCost: Int64 = 10_000_000_000_000_000

    /// What a call cost, in 10⁻¹² USD, and who says so; nil where nobody does.
    func cost(of batch: borrowing Batch) -> (amount: Int64, source: CostSource)? {
        if let amount = pico(.tableCost, of: batch) { return (amount, ownSource) }
        return saidCost(of: batch).map { ($0, .provider) }
    }

    /// What the sender says that a call cost, in 10⁻¹² USD.
    func saidCost(of batch: borrowing Batch) -> Int64? {
        let said = number(.cost, times: 1e12, of: batch) ?? sum(.cost, of: batch)
        // LiteLLM and OpenLIT say 0 of what they know no price of.
        return said.flatMap { $0 > 0 && $0 <= Self.maximumSaidCost ? $0 : nil }
    }

    /// Whose number a `weir.cost.` amount is. The processor names the row of the list; who names none says it himself.
    var ownSource: CostSource { has(.costSource) ? .estimate : has(.costPrice) ? .table : .provider }

    /// Langfuse and MLflow have an object: its total, or the sum of its parts.
    private func sum(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        guard let text = text(attribute, of: batch), text.count <= 4_096, let tree = JSONTreeReader.container(text)
        else { return nil }
        let parts = tree.members.map(\.value).compactMap(\.asDollars)
        let dollars = (tree["total"] ?? tree["total_cost"])?.asDollars ?? parts.reduce(0, +)
        return dollars >= 0 ? Int64(exactly: (dollars * 1e12).rounded()) : nil
    }

    /// An amount that the processor `cost` wrote, in 10⁻¹² USD.
    func pico(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        guard case .string(let text)? = value(attribute, of: batch) else { return nil }
        return Self.pico(text)
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

extension JSONTree {
    fileprivate var asDollars: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }
}
