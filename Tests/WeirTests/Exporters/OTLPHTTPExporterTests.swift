import NIOCore
import Testing

@testable import Weir

@Suite struct OTLPHTTPExporterTests {
    private let batch = FrozenBatch(records: [
        SampleBatch.record([(1, 10), (2, 20)]), SampleBatch.record([], sequence: 2),
        SampleBatch.record([(3, 30)], sequence: 3, padding: 100_000),
    ])

    @Test(arguments: Compression.allCases)
    func sendsTheRecordsAsOneRequest(compression: Compression) async throws {
        let request = try await send("compression: \(compression.rawValue)")
        #expect(request.path == "/v1/traces")
        #expect(request.headers["content-type"] == "application/x-protobuf")
        #expect(request.headers["content-encoding"] == (compression == .none ? nil : compression.rawValue))
        #expect(request.headers["user-agent"] == "weir")
        #expect(try request.decompressed() == batch.records.flatMap { Array($0.payload.bytes) })
    }

    @Test(arguments: Compression.allCases)
    func sendsTheRecordsAsOneObject(compression: Compression) async throws {
        let request = try await send("encoding: json\ncompression: \(compression.rawValue)")
        #expect(request.headers["content-type"] == "application/json")
        let json = try Batch(decodingJSON: try request.decompressed())
        #expect(json.spans.map(\.spanID) == [1, 2, 3])
        #expect(json.resources.count == 3)
        let proto = try Batch(decoding: batch.records.flatMap { Array($0.payload.bytes) })
        #expect(Trace(json) == Trace(proto))
    }

    @Test func compressesWithGzipUnlessToldOtherwise() async throws {
        #expect(try await send().headers["content-encoding"] == "gzip")
    }

    @Test func sendsTheHeadersOfTheConfiguration() async throws {
        let request = try await send("headers: { Authorization: Bearer swordfish, User-Agent: shop/1 }")
        #expect(request.headers["authorization"] == "Bearer swordfish")
        #expect(request.headers["user-agent"] == "shop/1")
    }

    @Test func sendsToTheWholeURL() async throws {
        try await ScriptedServer.serve(HTTPResponse(200, "application/x-protobuf", [])) { server in
            let sample = try ForwardSample(to: "http://127.0.0.1:1", "traces_endpoint: \(server.url)/otlp/spans")
            try await sample.exporter.export(batch)
            #expect(server.requests.map(\.path) == ["/otlp/spans"])
        }
    }

    @Test func sendsNoSecretToTheLog() async throws {
        let answer = HTTPResponse(401, "text/plain", Array("no such key: swordfish".utf8))
        try await ScriptedServer.serve(answer) { server in
            let sample = try ForwardSample(to: server.url, "headers: { Authorization: Bearer swordfish }")
            let error = await #expect(throws: ExportError.self) { try await sample.exporter.export(batch) }
            #expect(
                error
                    == .retryable(
                        "the destination answered 401: no such key: [hidden]; spans wait until it takes the "
                            + "credentials in headers", after: nil))
            #expect(
                sample.log.lines == [
                    "info: sending on compression=gzip encoding=proto url=http://127.0.0.1:\(server.port)/v1/traces"
                ])
        }
    }

    @Test func endsWithItsTask() async throws {
        try await ScriptedServer.serve(nil) { server in
            let sample = try ForwardSample(to: server.url)
            let export = Task { try await sample.exporter.export(batch) }
            try await eventually("the request has come") { server.hanging == 1 }
            export.cancel()
            let reason = "127.0.0.1:\(server.port): cancelled"
            let error = await #expect(throws: ExportError.self) { try await export.value }
            #expect("\(String(describing: error))".contains(reason), "\(String(describing: error))")
            await sample.exporter.finish()
        }
    }

    @Test func retriesWhereNobodyAnswers() async throws {
        var url = ""
        try await ScriptedServer.serve(nil) { url = $0.url }
        let sample = try ForwardSample(to: url)
        let error = await #expect(throws: ExportError.self) { try await sample.exporter.export(batch) }
        #expect(error == .retryable("\(url.dropFirst(7)): Connection refused", after: nil))
    }

    @Test func rejectsWhatCannotBeDecoded() async throws {
        let broken = JournalRecord(
            sequence: 1, tenant: "t", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1,
            payload: [0x0A, 0x05, 1].withUnsafeBytes { Payload.copying($0) })
        let sample = try ForwardSample(to: "http://127.0.0.1:1", "encoding: json")
        let error = await #expect(throws: ExportError.self) {
            try await sample.exporter.export(FrozenBatch(records: [broken]))
        }
        guard case .rejected = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    private func send(_ keys: String...) async throws -> ScriptedServer.Request {
        var requests: [ScriptedServer.Request] = []
        try await ScriptedServer.serve(HTTPResponse(200, "application/x-protobuf", [])) { server in
            let sample = try ForwardSample(to: server.url, keys.joined(separator: "\n"))
            try await sample.exporter.export(batch)
            #expect(sample.lines == [])
            await sample.exporter.finish()
            requests = server.requests
        }
        #expect(requests.count == 1)
        return try #require(requests.first)
    }
}

extension ScriptedServer.Request {
    func decompressed() throws -> [UInt8] {
        var inflater = try Inflater()
        let encoding = try ContentEncoding(header: headers["content-encoding"] ?? "")
        let payload = try body.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: 1 << 30) }
        return withExtendedLifetime(payload) { Array($0.bytes) }
    }
}
