import NIOCore

/// google.rpc.Status. In its details stand a google.rpc.BadRequest where the request was at fault, and a
/// google.rpc.RetryInfo where the client is to come again.
struct RPCStatus {
    /// google.rpc.Code.
    enum Code: Int, CaseIterable {
        case ok = 0
        case invalidArgument = 3
        case deadlineExceeded = 4
        case permissionDenied = 7
        case resourceExhausted = 8
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case unauthenticated = 16
    }

    let code: Code
    let message: String
    /// HTTP has a header field for it, and leaves it nil.
    var retryDelay: Duration?

    private static let badRequest = "type.googleapis.com/google.rpc.BadRequest"
    private static let retryInfo = "type.googleapis.com/google.rpc.RetryInfo"

    var json: String {
        let text = message.quotedAsJSON
        guard code == .invalidArgument else { return #"{"code":\#(code.rawValue),"message":\#(text)}"# }
        return #"{"code":\#(code.rawValue),"message":\#(text),"details":[{"@type":"\#(Self.badRequest)","#
            + #""fieldViolations":[{"description":\#(text)}]}]}"#
    }

    var protobuf: [UInt8] {
        var writer = ReverseWriter(capacity: 512)
        if let retryDelay {
            // Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration { seconds = 1, nanos = 2 } } }
            let (seconds, attoseconds) = retryDelay.components
            writer.number(2 << 3, UInt64(max(0, attoseconds / 1_000_000_000)))
            writer.number(1 << 3, UInt64(max(0, seconds)))
            writer.close(1 << 3 | 2, writer.count)
            writer.closeDetail(Self.retryInfo)
        } else if code == .invalidArgument {
            // Any { type_url = 1, value = 2: BadRequest { field_violations = 1: { description = 2 } } }
            writer.text(2, message)
            writer.close(1 << 3 | 2, writer.count)
            writer.closeDetail(Self.badRequest)
        }
        writer.text(2, message)
        writer.number(1 << 3, UInt64(code.rawValue))
        return Array(writer.written)
    }
}

extension Rejections {
    /// An ExportTraceServiceResponse that says so. "On full success … the server MUST leave the `partial_success` field
    /// unset."
    var response: ByteBuffer {
        guard count > 0 else { return ByteBuffer() }
        var writer = ReverseWriter(capacity: 256)
        writer.text(2, message)
        writer.number(1 << 3, UInt64(count))
        writer.close(1 << 3 | 2, writer.count)
        return ByteBuffer(bytes: writer.written)
    }
}

extension ReverseWriter {
    fileprivate mutating func text(_ number: UInt64, _ text: String) {
        var text = text
        text.withUTF8 { field(number << 3 | 2, UnsafeRawBufferPointer($0)) }
    }

    /// What was written is the message in `details`.
    fileprivate mutating func closeDetail(_ type: String) {
        close(2 << 3 | 2, count)
        text(1, type)
        close(3 << 3 | 2, count)
    }
}
