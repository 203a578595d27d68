/// The keys of `quotas`: what tenants may send in a second.
struct QuotaConfiguration: Sendable {
    /// Names of the keys, in the order of `Quotas.amounts`.
    static let keys = ["requests_per_second", "spans_per_second", "bytes_per_second"]

    /// For a tenant that has none of its own, in the order of `keys`; zero is no limit.
    let everybody: [Int]
    let tenants: [String: [Int]]

    var namedTenants: Set<String> { Set(tenants.keys) }

    init(_ fields: inout Fields) {
        everybody = Self.rates(&fields)
        let named = fields.named(
            "tenants", count: 0...5_000, "Tenants with rates of their own, by name; what is left out is no limit."
        ) { name, fields in (name, Self.rates(&fields)) }
        tenants = Dictionary(named) { first, _ in first }
    }

    func rates(of tenant: String) -> [Int] { tenants[tenant] ?? everybody }

    private static func rates(_ fields: inout Fields) -> [Int] {
        let limits = 0...1_000_000_000
        return [
            fields.int(keys[0], default: 0, in: limits, "Requests of a tenant; 0 is no limit."),
            fields.int(keys[1], default: 0, in: limits, "Spans of a tenant; 0 is no limit."),
            fields.bytes(
                keys[2], default: ByteCount(0), in: ByteCount(0)...(.tebibytes(1)),
                "Bytes of its bodies, decompressed; 0 is no limit."
            ).bytes,
        ]
    }
}
