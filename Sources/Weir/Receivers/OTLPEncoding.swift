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
        case .protobuf: response.body = rejected.response
        }
        return response
    }

    /// "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a … `Status` message."
    func failure(_ code: HTTPResponseStatus, _ status: RPCStatus) -> HTTPResponse {
        let body: ByteBuffer
        switch self {
        case .json: body = ByteBuffer(string: status.json)
        case .protobuf: body = ByteBuffer(bytes: status.protobuf)
        }
        return HTTPResponse(code, contentType: contentType, body: body)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...last]
    }
}
