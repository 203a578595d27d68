/// Writes what spans cost onto them. Texts that many spans are given are put into a batch once.
struct CostAttributes {
    /// A key is `weir.cost.` and one of these, or a unit.
    enum Name: Int, CaseIterable {
        case status, total, aggregate, price, basis, source, fallback

        fileprivate var text: String {
            switch self {
            case .basis: "cache_basis"
            case .fallback: "price_fallback"
            default: "\(self)"
            }
        }
    }

    /// Those of ``Name``, and behind them those of ``UsageUnit``.
    private static let keys = (Name.allCases.map(\.text) + UsageUnit.all.map(\.rawValue)).map {
        AttributeKey("weir.cost.\($0)")
    }

    /// Where the keys stand in the batch; nowhere yet, where they are empty.
    private var keys = [ByteRef](repeating: .empty, count: keys.count)
    private var statuses = [ByteRef](repeating: .empty, count: CostStatus.allCases.count)
    /// The last price's.
    private var price = (id: "", text: ByteRef.empty)

    /// Forgets the batch before.
    mutating func begin() {
        for index in keys.indices { keys[index] = .empty }
        for index in statuses.indices { statuses[index] = .empty }
        price = ("", .empty)
    }

    mutating func set(_ status: CostStatus, _ span: Int, _ batch: inout Batch) {
        if statuses[status.index].count == 0 { statuses[status.index] = batch.intern(status.rawValue) }
        add(Name.status.rawValue, statuses[status.index], span, &batch)
    }

    mutating func set(price id: String, _ span: Int, _ batch: inout Batch) {
        if price.id != id { price = (id, batch.intern(id)) }
        add(Name.price.rawValue, price.text, span, &batch)
    }

    mutating func set(_ name: Name, to text: String, _ span: Int, _ batch: inout Batch) {
        add(name.rawValue, batch.intern(text), span, &batch)
    }

    /// - Parameter pico: in 10⁻¹² USD.
    mutating func set(_ name: Name, to pico: Int64, _ span: Int, _ batch: inout Batch) {
        set(name.rawValue, to: pico, span, &batch)
    }

    mutating func set(_ unit: UsageUnit, to pico: Int64, _ span: Int, _ batch: inout Batch) {
        set(Name.allCases.count + unit.index, to: pico, span, &batch)
    }

    private mutating func set(_ key: Int, to pico: Int64, _ span: Int, _ batch: inout Batch) {
        let text = CostText(pico)
        add(key, batch.intern(count: text.count, text.write), span, &batch)
    }

    /// What the sender had of these was removed.
    private mutating func add(_ key: Int, _ text: ByteRef, _ span: Int, _ batch: inout Batch) {
        if keys[key].count == 0 { keys[key] = batch.intern(Self.keys[key]) }
        batch.add(keys[key], StoredValue(kind: .string, bits: text.packed), to: .span(span))
    }
}
