import Foundation
import Testing

@testable import Weir

/// What is said of a tenant that nobody is has no effect.
@Suite struct TenantNotesTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let hash = String(repeating: "a", count: 64)
        try "keys: [ { name: shop, tenant: shop, scopes: [ingest], sha256: \"\(hash)\" } ]\n".write(
            toFile: "\(directory.path)/keys.yaml", atomically: true, encoding: .utf8)
        let price = "{ provider: openai, model: gpt, tenant: shup, prices: { input: 1, output: 1 } }"
        try "models: [ \(price) ]\n".write(
            toFile: "\(directory.path)/own.yaml", atomically: true, encoding: .utf8)
    }

    private func check(_ tenant: String, extensions: String? = nil) -> [String] {
        let extensions = extensions ?? "{ api_keys: { file: \(directory.path)/keys.yaml } }"
        let name = extensions.dropFirst(2).prefix { $0 != ":" }
        let auth = name.isEmpty ? "" : "auth: { authenticator: \(name) }"
        let text = """
            receivers:
              otlp: { protocols: { http: { \(auth) } }, quotas: { tenants: { \(tenant): { spans_per_second: 1 } } } }
            processors:
              cost:
                prices: "\(PriceVectorTests.file)"
                budgets: [ { scope: tenant, hard: 1, tenant: \(tenant) } ]
            exporters:
              sqlite: { directory: hot, retention_classes: { a: { tenants: [\(tenant)], retention: 9d } } }
              archive: { directory: cold, lifecycle: { classes: { a: { tenants: [\(tenant)], cold: 999d } } } }
            extensions: \(extensions)
            service:
              pipelines:
                traces: { receivers: [otlp], processors: [cost], exporters: [sqlite, archive], tenants: [\(tenant)] }
            """
        return CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue).diagnostics.lines
    }

    @Test func aTenantThatNobodyIsIsNoted() {
        let places = [
            "f:2: note: receivers.otlp", "f:4: note: processors.cost", "f:8: note: exporters.sqlite",
            "f:9: note: exporters.archive", "f:13: note: service.pipelines.traces.tenants",
        ]
        let problem = "names the tenant \"shup\", and no client is of that (did you mean \"shop\"?)"
        #expect(check("shup") == places.map { "\($0): \(problem)" })
        #expect(check("shop") == [] && check("default") == [])
    }

    @Test func whereAnybodyMayComeNothingIsNoted() {
        let jwt = "{ jwt: { issuer: a, audience: b, jwks_url: 'https://login.example.com/jwks' } }"
        #expect(check("shup", extensions: jwt) == [] && check("shup", extensions: "{}") == [])
    }

    @Test func pricesOfATenantThatNobodyIsAreNoted() {
        let text = """
            receivers: { otlp: { protocols: { http: { auth: { authenticator: api_keys } } } } }
            processors: { cost: { prices: "\(PriceVectorTests.file)", overrides: "\(directory.path)/own.yaml" } }
            exporters: { debug: }
            extensions: { api_keys: { file: "\(directory.path)/keys.yaml" } }
            service: { pipelines: { traces: { receivers: [otlp], processors: [cost], exporters: [debug] } } }
            """
        let checked = CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue)
        let problem = "names the tenant \"shup\", and no client is of that (did you mean \"shop\"?)"
        #expect(checked.diagnostics.lines == ["f:2: note: processors.cost: \(problem)"])
    }
}
