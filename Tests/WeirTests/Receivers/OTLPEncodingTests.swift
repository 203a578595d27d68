import NIOCore
import NIOHTTP1
import Testing

@testable import Weir

@Suite struct OTLPEncodingTests {
    @Test func isReadFromTheContentType() {
        check("application/x-protobuf", is: .protobuf)
        check("application/json", is: .json)
        check("Application/JSON; charset=utf-8", is: .json)
        check(" application/x-protobuf\t;a=b", is: .protobuf)
        check("application/jsonl", is: nil)
        check("text/plain; application/json", is: nil)
        check("", is: nil)
        check(";", is: nil)
        check(nil, is: nil)
    }

    /// "On full success … the server MUST leave the `partial_success` field unset."
    @Test func leavesPartialSuccessUnsetOnFullSuccess() {
        let protobuf = OTLPEncoding.protobuf.success(Rejections())
        #expect(protobuf.status == .ok)
        #expect(protobuf.contentType == "application/x-protobuf")
        #expect(protobuf.body.readableBytes == 0)
        let json = OTLPEncoding.json.success(Rejections())
        #expect(json.contentType == "application/json")
        #expect(String(buffer: json.body) == "{}")
    }

    @Test func countsRejectedSpansInPartialSuccess() {
        var rejections = Rejections()
        rejections.add(.traceID, spans: 200)
        rejections.add(.text)
        let message = "200 spans: trace_id is not 16 bytes, or all zero; 1 span: a string is not UTF-8"
        #expect(rejections.message == message)
        let wanted = Message { response in
            response.message(0x0A) { partial in
                partial.number(0x08, 201)
                partial.text(0x12, message)
            }
        }
        let protobuf = OTLPEncoding.protobuf.success(rejections)
        #expect(protobuf.status == .ok)
        #expect(Array(buffer: protobuf.body) == wanted.bytes)
        #expect(
            String(buffer: OTLPEncoding.json.success(rejections).body)
                == #"{"partialSuccess":{"rejectedSpans":"201","errorMessage":"\#(message)"}}"#)
    }

    @Test func writesAStatusInEitherEncoding() {
        let status = RPCStatus(code: .unavailable, message: "busy")
        let wanted = Message {
            $0.number(0x08, 14)
            $0.text(0x12, "busy")
        }
        let protobuf = OTLPEncoding.protobuf.failure(.serviceUnavailable, status)
        #expect(protobuf.status == .serviceUnavailable)
        #expect(Array(buffer: protobuf.body) == wanted.bytes)
        let json = OTLPEncoding.json.failure(.serviceUnavailable, status)
        #expect(json.contentType == "application/json")
        #expect(String(buffer: json.body) == #"{"code":14,"message":"busy"}"#)
    }

    @Test func addsTheDetailsOfABadRequest() {
        let status = RPCStatus(code: .invalidArgument, message: "odd")
        let wanted = Message {
            $0.number(0x08, 3)
            $0.text(0x12, "odd")
            $0.message(0x1A) { any in
                any.text(0x0A, "type.googleapis.com/google.rpc.BadRequest")
                any.message(0x12) { badRequest in
                    badRequest.message(0x0A) { $0.text(0x12, "odd") }
                }
            }
        }
        #expect(status.protobuf == wanted.bytes)
        #expect(
            status.json == #"{"code":3,"message":"odd","details":[{"@type":"#
                + #""type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"description":"odd"}]}]}"#)
    }

    @Test func writesAMessageThatIsLongerThanItsRoom() {
        let message = String(repeating: "ä", count: 5_000)
        let status = RPCStatus(code: .unavailable, message: message)
        let wanted = Message {
            $0.number(0x08, 14)
            $0.text(0x12, message)
        }
        #expect(status.protobuf == wanted.bytes)
    }

    @Test func escapesWhatJSONWantsEscaped() {
        #expect("a\"b\\c\n\u{1}\u{1F}é😀".quotedAsJSON == #""a\"b\\c\n\u0001\u001fé😀""#)
        #expect("".quotedAsJSON == "\"\"")
    }

    private func check(
        _ contentType: String?, is wanted: OTLPEncoding?, at location: SourceLocation = #_sourceLocation
    ) {
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/traces")
        if let contentType { head.headers.add(name: "Content-Type", value: contentType) }
        #expect(OTLPEncoding(of: head) == wanted, sourceLocation: location)
    }
}
