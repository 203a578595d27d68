import NIOCore

/// Messages of gRPC over HTTP/2: "Length-Prefixed-Message → Compressed-Flag Message-Length Message", a byte and four in
/// big-endian order in front of each.
enum GRPCFraming {
    static let prefixLength = 5
    static let contentType = "application/grpc"

    /// What stands in a body is not one message.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case noMessage
        case truncated(found: Int, wanted: Int)
        case severalMessages(bytesBehind: Int)
        case flag(UInt8)

        var description: String {
            switch self {
            case .noMessage: "found no message, wanted one"
            case .truncated(let found, let wanted): "found \(found) bytes of a message, wanted \(wanted)"
            case .severalMessages(let bytes): "found \(bytes) bytes behind the message, wanted one message"
            case .flag(let flag): "found compressed flag \(flag), wanted 0 or 1"
            }
        }
    }

    /// The one message of a unary call, where it lies.
    static func read(_ body: Payload) throws(Problem) -> (message: Payload, isCompressed: Bool) {
        let bytes = body.bytes
        guard !bytes.isEmpty else { throw .noMessage }
        guard bytes.count >= prefixLength else { throw .truncated(found: bytes.count, wanted: prefixLength) }
        guard bytes[0] <= 1 else { throw .flag(bytes[0]) }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        let found = bytes.count - prefixLength
        guard found >= length else { throw .truncated(found: found, wanted: length) }
        guard found == length else { throw .severalMessages(bytesBehind: found - length) }
        return (Payload(body, from: prefixLength), bytes[0] == 1)
    }

    static func write(_ message: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(prefixLength + message.readableBytes)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(message.readableBytes))
        buffer.writeImmutableBuffer(message)
        return buffer
    }

    /// "Content-Type → "content-type" "application/grpc" [("+proto" / "+json" / {custom})]".
    static func isContentType(_ text: String) -> Bool {
        let type = text.prefix { $0 != ";" && $0 != " " }.lowercased()
        return type == contentType || type == contentType + "+proto"
    }

    /// Reads "Timeout → "grpc-timeout" TimeoutValue TimeoutUnit", a "positive integer as ASCII string of at most 8
    /// digits" and one of H, M, S, m, u and n. Nil for anything else.
    static func timeout(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(text.dropLast())
        else { return nil }
        switch text.last {
        case "H": return .seconds(value * 3600)
        case "M": return .seconds(value * 60)
        case "S": return .seconds(value)
        case "m": return .milliseconds(value)
        case "u": return .microseconds(value)
        case "n": return .nanoseconds(value)
        default: return nil
        }
    }
}
