import NIOCore
import Testing

@testable import Weir

/// What the answers of a destination lead to.
@Suite struct OTLPHTTPAnswerTests {
    @Test(arguments: [408, 429, 500, 501, 502, 503, 504, 599])
    func retriesWhatMayPass(status: Int) async throws {
        let answer = HTTPResponse(status, "text/plain", Array("busy".utf8))
        let reason = "the destination answered \(status): busy"
        #expect(try await ForwardSample.outcome(of: answer) == .retryable(reason, after: nil))
        let later = try await ForwardSample.outcome(of: answer.retry(after: .seconds(17)))
        #expect(later == .retryable(reason, after: .seconds(17)))
    }

    @Test func retriesAtADate() async throws {
        var answer = HTTPResponse(503, "", [])
        answer.headers.append(("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"))
        let reason = "the destination answered 503"
        #expect(try await ForwardSample.outcome(of: answer) == .retryable(reason, after: .seconds(3_600)))
    }

    @Test(arguments: [300, 301, 302, 307, 308, 401, 402, 403, 404, 405, 406, 407, 409, 410, 415, 431, 451])
    func waitsWhereTheConfigurationIsWrong(status: Int) async throws {
        let outcome = try await ForwardSample.outcome(of: HTTPResponse(status, "", []))
        guard case .retryable(let reason, nil) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(reason.hasPrefix("the destination answered \(status); spans wait until "))
    }

    @Test(arguments: [400, 413, 422])
    func handsBackWhatIsRefused(status: Int) async throws {
        let answer = HTTPResponse(status, "text/plain; charset=utf-8", Array("no".utf8))
        #expect(try await ForwardSample.outcome(of: answer) == .rejected("the destination answered \(status): no"))
    }

    @Test func leavesOutWhatMayRepeatSecrets() async throws {
        let answer = HTTPResponse(400, "text/plain", Array("the plan".utf8))
        let outcome = try await ForwardSample.outcome(of: answer, hidesAnswers: true)
        #expect(outcome == .rejected("the destination answered 400: 8 bytes"))
    }

    @Test(arguments: [200, 201, 202, 204])
    func takesEverySuccess(status: Int) async throws {
        #expect(try await ForwardSample.outcome(of: HTTPResponse(status, "text/html", [])) == nil)
    }

    @Test func aPageForPeopleIsNoSuccess() async throws {
        let page = HTTPResponse(200, "text/html; charset=utf-8", Array("<html>log in</html>".utf8))
        guard case .retryable(let reason, nil)? = try await ForwardSample.outcome(of: page) else {
            Issue.record("a login page has swallowed spans")
            return
        }
        #expect(reason.contains("with a page for people; spans wait until endpoint"))
    }

    @Test func readsTheStatusMessage() async throws {
        for encoding in [OTLPHTTPEncoding.proto, .json] {
            let status = RPCStatus(code: .invalidArgument, message: "span 3 is \"bad\"")
            let body = encoding == .json ? Array(status.json.utf8) : Array(status.protobuf)
            let answer = HTTPResponse(400, encoding.contentType, body)
            let reason = "the destination answered 400: span 3 is \"bad\""
            #expect(try await ForwardSample.outcome(of: answer) == .rejected(reason))
        }
    }

    @Test(arguments: [OTLPHTTPEncoding.proto, .json])
    func countsWhatADestinationRejectsOfARequest(encoding: OTLPHTTPEncoding) async throws {
        try await accept(encoding, rejected: 2, "too \"old\"") { sample in
            #expect(sample.rejectedSpans == 2)
            #expect(sample.lines == ["warning: the destination rejected spans reason=too \"old\" spans=2"])
        }
    }

    @Test(arguments: [OTLPHTTPEncoding.proto, .json])
    func passesAWarningOn(encoding: OTLPHTTPEncoding) async throws {
        try await accept(encoding, rejected: 0, "soon") { sample in
            #expect(sample.rejectedSpans == 0)
            #expect(sample.lines == ["warning: the destination took all spans and warns reason=soon"])
        }
    }

    @Test(arguments: [OTLPHTTPEncoding.proto, .json], [(-1, 0), (4, 3), (Int.max, 3), (Int.min, 0)])
    func believesNoImpossibleCount(encoding: OTLPHTTPEncoding, counts: (said: Int, believed: Int)) async throws {
        try await accept(encoding, rejected: counts.said, "") { #expect($0.rejectedSpans == counts.believed) }
    }

    @Test(arguments: [
        ("application/x-protobuf", "\n\u{7F}"), ("application/json", #"{"partialSuccess":"#),
        ("application/json", #"{"partialSuccess":null,"partialSuccess":{"rejectedSpans":null,"errorMessage":null}}"#),
        ("application/json", ""), ("text/plain", "fine"), ("", "\u{1}"),
    ])
    func takesASuccessThatItCannotRead(type: String, body: String) async throws {
        let outcome = try await ForwardSample.outcome(of: HTTPResponse(200, type, Array(body.utf8)))
        #expect(outcome == nil)
    }

    @Test(arguments: ["application/x-protobuf", "application/json"])
    func takesASuccessThatIsTooLargeToRead(type: String) async throws {
        let body = [UInt8](repeating: 0x5B, count: OTLPHTTPExporter.maxAnswer * 2)
        #expect(try await ForwardSample.outcome(of: HTTPResponse(200, type, body)) == nil)
    }

    @Test func cutsALongMessage() {
        let answer = HTTPAnswer(
            status: 500, contentType: "text/plain", retryAfter: nil, body: [UInt8](repeating: 0x61, count: 10_000))
        #expect(OTLPAnswer(answer, isSuccess: false).message.count == 500)
    }

    private func accept(
        _ encoding: OTLPHTTPEncoding, rejected: Int, _ message: String, _ check: (ForwardSample) -> Void
    ) async throws {
        let body: [UInt8]
        switch encoding {
        case .proto:
            body =
                Message { response in
                    response.message(Tag.partialSuccess) {
                        $0.number(Tag.rejectedSpans, UInt64(bitPattern: Int64(rejected)))
                        $0.text(Tag.partialErrorMessage, message)
                    }
                }.bytes
        case .json:
            let text = message.quotedAsJSON
            body = Array(#"{"x":[1],"partialSuccess":{"errorMessage":\#(text),"rejectedSpans":"\#(rejected)"}}"#.utf8)
        }
        try await ScriptedServer.serve(HTTPResponse(200, encoding.contentType, body)) { server in
            let sample = try ForwardSample(to: server.url)
            try await sample.exporter.export(SampleBatch.batch(1...3))
            check(sample)
            await sample.exporter.finish()
        }
    }
}
