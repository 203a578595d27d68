import Foundation
import Testing

@testable import Weir

@Suite(.hangLimit) struct APIKeysExtensionTests {
    @Test func knowsTheKeysOfItsFile() throws {
        let sample = try APIKeysSample()
        #expect(sample.tenant(of: sample.secret) == "shop")
        #expect(sample.tenant(of: APIKey.draw()) == nil)
        #expect(APIKeysExtension.role == .authenticator)
    }

    @Test func keysRotateWithoutARestart() async throws {
        let sample = try APIKeysSample()
        await sample.keys.start()
        defer { sample.keys.finish() }
        let next = APIKey.draw()
        try sample.write(APIKeysSample.entry("shop-2", [.ingest], of: next))
        try await eventually("the new key is known") { sample.tenant(of: next) == "shop-2" }
        #expect(sample.tenant(of: sample.secret) == nil, "the old one is not")
        try sample.write("keys: []")
        try await eventually("nobody is known") { sample.tenant(of: next) == nil }
    }

    @Test func aFileThatIsWrongChangesNothing() async throws {
        let sample = try APIKeysSample()
        let failures = sample.metrics.counter(
            "weir_api_keys_reload_failures", help: "", labels: ["extension": "api_keys"])
        await sample.keys.start()
        defer { sample.keys.finish() }
        try await eventually("it has looked once") { sample.log.lines.contains { $0.contains("keys read") } }
        try sample.write("keys:\n  - name: a\n")
        try await eventually("it is counted") { failures.value == 1 }
        #expect(sample.tenant(of: sample.secret) == "shop")
        #expect(sample.log.lines.contains { $0.contains("keys stay as they were") && $0.contains("keys.yaml:2: ") })
        try FileManager.default.removeItem(atPath: sample.path)
        try await eventually("a missing file too") { failures.value == 2 }
        #expect(sample.tenant(of: sample.secret) == "shop")
    }
}
