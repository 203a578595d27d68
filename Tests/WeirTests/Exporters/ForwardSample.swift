import NIOCore
import Testing

@testable import Weir

/// An `otlp_http` exporter and what it logs and counts.
struct ForwardSample {
    let log = LogCapture()
    let metrics = MetricRegistry()
    let exporter: OTLPHTTPExporter

    /// - Parameter keys: of the exporter, but `endpoint`.
    init(to url: String, _ keys: String..., hidesAnswers: Bool = false) throws {
        let keys = (["endpoint: \(url)"] + keys).joined(separator: "\n")
        let configuration = try #require(read(OTLPHTTPExporterConfiguration.self, keys))
        var context = Context(id: ComponentID(type: "otlp_http"), logger: log.logger, metrics: metrics)
        context.hidesAnswers = hidesAnswers
        exporter = try OTLPHTTPExporter(configuration, context)
    }

    var rejectedSpans: Int {
        metrics.counter("weir_exporter_rejected_spans", help: "", labels: ["exporter": "otlp_http"]).value
    }

    /// What was logged after the start.
    var lines: [String] { Array(log.lines.dropFirst()) }

    /// What the exporter makes of this answer; nil if it takes it for a success.
    static func outcome(
        of answer: HTTPResponse, _ keys: String..., hidesAnswers: Bool = false
    ) async throws -> ExportError? {
        var outcome: ExportError?
        try await ScriptedServer.serve(answer) { server in
            let sample = try ForwardSample(
                to: server.url, keys.joined(separator: "\n"), hidesAnswers: hidesAnswers)
            do throws(ExportError) {
                try await sample.exporter.export(SampleBatch.batch(1...3))
                #expect(sample.rejectedSpans == 0)
                #expect(sample.lines == [])
            } catch {
                outcome = error
            }
            await sample.exporter.finish()
        }
        return outcome
    }
}

extension HTTPResponse {
    init(_ code: Int, _ contentType: String, _ body: [UInt8]) {
        self.init(.init(statusCode: code), contentType: contentType, body: ByteBuffer(bytes: body))
    }
}
