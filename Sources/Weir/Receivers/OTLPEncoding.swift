import NIOCore
import NIOHTTP1

/// The two encodings of OTLP/HTTP. "The server MUST use the same `Content-Type` in the response as it received in the
/// request."
enum OTLPEncoding {
    case protobuf, json

    /// Nil for a content type that is neither. Parameters, `charset` for one, say nothing about either.
    init?(of head: HTTPRequestHead) {
        guard let value = head.headers.first(name: "content-type") else { return nil }
        switch value {
        case "application/x-protobuf": self = .protobuf
        case "application/json": self = .json
        default: self.init(unusual: value)
        }
    }

    private init?(unusual value: String) {
        switch value.prefix(while: { $0 != ";" }).trimmed.lowercased() {
        case "application/x-protobuf": self = .protobuf
        case "application/json": self = .json
        default: return nil
        }
    }

    var contentType: String {
        switch self {
        case .protobuf: "application/x-protobuf"
        case .json: "application/json"
        }
    }

    /// "On full success … the server MUST leave the `partial_success` field unset." "If some were rejected … the
    /// response MUST be the same [200] … and the server MUST initialize `partial_success`."
    func success(_ rejected: Rejections) -> HTTPResponse {
        var response = HTTPResponse(.ok, contentType: contentType)
        guard rejected.count > 0 else {
            if case .json = self { response.body = ByteBuffer(staticString: "{}") }
            return response
        }
        let message = rejected.message
        switch self {
        case .json:
            let members = #""rejectedSpans":"\#(rejected.count)","errorMessage":\#(message.quotedAsJSON)"#
            response.body = ByteBuffer(string: #"{"partialSuccess":{\#(members)}}"#)
        case .protobuf:
            var writer = ReverseWriter(capacity: 256)
            writer.text(2, message)
            writer.number(1 << 3, UInt64(rejected.count))
            writer.close(1 << 3 | 2, writer.count)
            response.body = ByteBuffer(bytes: writer.written)
        }
        return response
    }

    /// "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a … `Status` message."
    func failure(_ code: HTTPResponseStatus, _ status: RPCStatus) -> HTTPResponse {
        let body: ByteBuffer
        switch self {
        case .json: body = ByteBuffer(string: status.json)
        case .protobuf: body = status.protobuf
        }
        return HTTPResponse(code, contentType: contentType, body: body)
    }
}

/// google.rpc.Status, with a google.rpc.BadRequest in its details where the request was at fault.
struct RPCStatus {
    /// google.rpc.Code.
    enum Code: Int {
        case invalidArgument = 3
        case deadlineExceeded = 4
        case permissionDenied = 7
        case resourceExhausted = 8
        case unimplemented = 12
        case unavailable = 14
        case unauthenticated = 16
    }

    let code: Code
    let message: String

    private static let badRequest = "type.googleapis.com/google.rpc.BadRequest"

    var json: String {
        let text = message.quotedAsJSON
        guard code == .invalidArgument else { return #"{"code":\#(code.rawValue),"message":\#(text)}"# }
        return #"{"code":\#(code.rawValue),"message":\#(text),"details":[{"@type":"\#(Self.badRequest)","#
            + #""fieldViolations":[{"description":\#(text)}]}]}"#
    }

    var protobuf: ByteBuffer {
        var writer = ReverseWriter(capacity: 512)
        if code == .invalidArgument {
            // Any { type_url = 1, value = 2: BadRequest { field_violations = 1: { description = 2 } } }
            writer.text(2, message)
            writer.close(1 << 3 | 2, writer.count)
            writer.close(2 << 3 | 2, writer.count)
            writer.text(1, Self.badRequest)
            writer.close(3 << 3 | 2, writer.count)
        }
        writer.text(2, message)
        writer.number(1 << 3, UInt64(code.rawValue))
        return ByteBuffer(bytes: writer.written)
    }
}

extension ReverseWriter {
    fileprivate mutating func text(_ number: UInt64, _ text: String) {
        var text = text
        text.withUTF8 { field(number << 3 | 2, UnsafeRawBufferPointer($0)) }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...last]
    }
}
