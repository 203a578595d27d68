import Foundation
import Testing

@testable import Weir

@Suite struct FingerprintTests {
    private func definitions(_ yaml: String) throws -> CollectorConfiguration {
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: .sample)
        return try #require(checked.configuration, "\(checked.diagnostics.lines)")
    }

    private func file(shelf: String, journal: String = "", authenticator: String = "bell") -> String {
        """
        receivers: { door: }
        exporters: { shelf: { \(shelf) } }
        extensions: { bell: , bell/b: }
        service:
          journal: { \(journal) }
          operations: { auth: { authenticator: \(authenticator) } }
          pipelines: { traces: { receivers: [door], exporters: [shelf] } }
        """
    }

    @Test func isTheSameForWhatSaysTheSame() throws {
        let one = try definitions(file(shelf: "level: low"))
        let other = try definitions("# moved down\n\n" + file(shelf: "level:   low"))
        #expect(one.exporters.map(\.fingerprint) == other.exporters.map(\.fingerprint))
        #expect(one.service.fixed == other.service.fixed)
        for changed in ["level: high", "", "level: low, api_key: x", "directory: low"] {
            #expect(try definitions(file(shelf: changed)).exporters[0].fingerprint != one.exporters[0].fingerprint)
        }
        #expect(
            try definitions(file(shelf: "level: low", journal: "max_bytes: 1GiB")).service.fixed != one.service.fixed)
    }

    @Test func countsTheFilesThatAComponentNames() throws {
        let sample = try APIKeysSample()
        let yaml = """
            receivers: { otlp: { protocols: { http: { auth: { authenticator: api_keys } } } } }
            exporters: { debug: }
            extensions: { api_keys: { file: \(sample.path) } }
            service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }
            """
        func read() throws -> CollectorConfiguration {
            let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
            return try #require(checked.configuration)
        }
        let before = try read()
        #expect(before.receivers.first?.extensions == [ComponentID(type: "api_keys")])
        #expect(try read().extensions.first?.fingerprint == before.extensions.first?.fingerprint)
        try sample.write("keys: []")
        #expect(try read().extensions.first?.fingerprint != before.extensions.first?.fingerprint)
        #expect(try read().receivers.first?.fingerprint == before.receivers.first?.fingerprint)
    }

    @Test(arguments: ["ca_file: F", "cert_file: F, key_file: other", "cert_file: other, key_file: F"])
    func countsTheFilesThatAComponentConnectsWith(keys: String) throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/file.pem"
        let yaml = """
            receivers: { otlp: { protocols: { http: {} } } }
            exporters: { otlp_http: { endpoint: "https://h", tls: { \(keys.replacing("F", with: path)) } } }
            service: { pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } } }
            """
        func read() throws -> (fingerprint: Int?, sources: ConfigSources) {
            let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
            return (try #require(checked.configuration).exporters.first?.fingerprint, checked.sources)
        }
        let missing = try read()
        try "one".write(toFile: path, atomically: true, encoding: .utf8)
        let before = try read()
        #expect(before.fingerprint != missing.fingerprint)
        #expect(before.sources.changes(since: missing.sources) == [path])
        try "one".write(toFile: path, atomically: true, encoding: .utf8)
        let again = try read()
        #expect(again.fingerprint == before.fingerprint && again.sources == before.sources)
        try "two".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try read().fingerprint != before.fingerprint)
    }
}
