import Testing

@testable import Weir

@Suite struct ExporterConfigurationTests {
    @Test func hasTheDocumentedDefaults() throws {
        let archive = try #require(read(ArchiveConfiguration.self, "directory: d"))
        #expect(archive.directory == "d")
        #expect(archive.format == .json)
        #expect(archive.compression == .zstd)
        #expect(archive.limits.age == .seconds(60))
        #expect(archive.limits.size == (128 << 20) - ArchiveFooter.maximumLength)
        #expect(archive.limits.files == 64)
        let debug = try #require(read(DebugConfiguration.self, "{}"))
        #expect(debug.verbosity == .basic)
        #expect(debug.limits.valueLength == 4_096)
        #expect(debug.limits.items == 256)
        let forward = try #require(read(OTLPHTTPExporterConfiguration.self, "endpoint: https://host/otlp/"))
        #expect(forward.url.description == "https://host:443/otlp/v1/traces")
        #expect(forward.encoding == .proto)
        #expect(forward.compression == .gzip)
        #expect(forward.headers.isEmpty)
        #expect(forward.tls == nil)
    }

    @Test func saysWhatIsWrongWithADestination() {
        check("{}", forward, fails: "1: has no destination, wanted endpoint or traces_endpoint")
        check(
            "{ endpoint: 127.0.0.1:4318, encoding: xml, compression: snappy }", forward,
            fails:
                "1: endpoint: found \"127.0.0.1:4318\", wanted a URL such as http://127.0.0.1:4318 or https://host/path",
            "1: encoding: found the string \"xml\", wanted one of proto, json",
            "1: compression: found the string \"snappy\", wanted one of none, gzip, zstd")
        check(
            "endpoint: http://host\ntls:\n  min_version: 1.1\n  key_file: k", forward,
            fails: "3: tls.min_version: found 1.1, wanted one of 1.2, 1.3 (did you mean \"1.2\"?)",
            "4: tls.key_file: stands alone, wanted cert_file and key_file",
            "2: tls: found a URL with http, wanted https, or insecure: true")
        check(
            "{ endpoint: https://host, tls: { cert_file: c } }", forward,
            fails: "1: tls.cert_file: stands alone, wanted cert_file and key_file")
    }

    @Test func takesWhatTheCollectorsFilesSay() throws {
        let lines = [
            "endpoint: http://host:4318", "tls: { insecure: true }", "compression: \"\"", "read_buffer_size: 1024",
            "max_idle_conns: 10", "idle_conn_timeout: 90s", "metrics_endpoint: http://host/v1/metrics",
        ]
        let forward = try #require(read(OTLPHTTPExporterConfiguration.self, lines.joined(separator: "\n")))
        #expect(forward.compression == .none)
        #expect(forward.tls?.isInsecure == true)
    }

    @Test func saysWhatIsWrongWithAKey() {
        check("{}", archive, fails: "1: directory: is missing, wanted a string")
        check(
            "{ directory: d, format: json, compression: lz4, max_file_age: 0s, max_file_size: 1, max_open_files: 0 }",
            archive,
            fails: "1: format: found the string \"json\", wanted one of otlp_json, otlp_proto, parquet",
            "1: compression: found the string \"lz4\", wanted one of none, gzip, zstd",
            "1: max_file_age: found 0s, wanted a duration in 1s...1d",
            "1: max_file_size: found 1, wanted a size in 4KiB...64GiB",
            "1: max_open_files: found 0, wanted an integer in 1...4096")
        check(
            "{ verbosity: loud, max_value_length: 1, max_items: 0 }", { $0.read(DebugConfiguration.self) },
            fails: "1: verbosity: found the string \"loud\", wanted one of basic, normal, detailed",
            "1: max_value_length: found 1, wanted a size in 16...1MiB",
            "1: max_items: found 0, wanted an integer in 1...100000")
    }

    @Test func isFoundInTheRegistry() {
        #expect(Registry.catalogue.types(of: .exporter).map(\.type).contains("archive"))
        #expect(Registry.catalogue.types(of: .exporter).map(\.type).contains("debug"))
        #expect(Registry.catalogue.types(of: .exporter).map(\.type).contains("otlp_http"))
    }

    private func forward(_ fields: inout Fields) -> OTLPHTTPExporterConfiguration? {
        fields.read(OTLPHTTPExporterConfiguration.self)
    }

    private func archive(_ fields: inout Fields) -> ArchiveConfiguration? {
        fields.read(ArchiveConfiguration.self)
    }
}
