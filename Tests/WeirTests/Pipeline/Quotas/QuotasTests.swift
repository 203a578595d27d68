import Logging
import Testing

@testable import Weir

@Suite struct QuotasTests {
    private let second = Timestamp(nanoseconds: 1_000_000_000)

    @Test func eachTenantHasItsOwnRates() throws {
        check(
            "{ requests_per_second: 1, bytes_per_second: 2KiB, tenants: { shop: { requests_per_second: 2 } } }",
            { fields -> [[Int]] in
                let quotas = QuotaConfiguration(&fields)
                return ["bank", "shop"].map(quotas.rates(of:))
            }, gives: [[1, 0, 2_048], [2, 0, 0]])
    }

    @Test func aTenantThatSendsTooMuchIsRefusedAndCountedAndNoOther() throws {
        var fields = Fields([], file: "f")
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read("{ requests_per_second: 1, tenants: { shop: { requests_per_second: 2 } } }")
        let configuration = fields.descend(into: root, path: "", QuotaConfiguration.init).value
        let metrics = MetricRegistry()
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let quotas = Quotas(configuration, Context(id: ComponentID(type: "otlp"), logger: logger, metrics: metrics))
        for tenant in ["bank", "shop", "shop"] {
            try quotas.admit(tenant, at: second)
            quotas.charge(tenant, spans: 1, bytes: 1, at: second)
        }
        for (tenant, rate) in [("bank", 1), ("shop", 2)] {
            let refusal = Refusal.overQuota(
                "the tenant \(tenant) sends more than requests_per_second, \(rate)",
                retryAfter: .seconds(1 / Double(rate)))
            #expect(throws: refusal) { try quotas.admit(tenant, at: second) }
        }
        try quotas.admit("school", at: second)
        let counted = #"weir_quota_refused_requests{quota="requests_per_second",receiver="otlp",tenant="shop"} 1"#
        #expect(metrics.render().contains(counted))
    }
}
