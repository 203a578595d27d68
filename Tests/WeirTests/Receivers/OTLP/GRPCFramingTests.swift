import NIOCore
import Testing

@testable import Weir

/// Messages of gRPC, and what else stands in its fields.
@Suite struct GRPCFramingTests {
    private static let message = Array("span".utf8)
    private static let framed: [UInt8] = [0, 0, 0, 0, 4] + message

    @Test func readsWhatItWrites() throws {
        let written = GRPCFraming.write(ByteBuffer(bytes: Self.message))
        #expect(Array(buffer: written) == Self.framed)
        let (message, isCompressed) = try GRPCFraming.read(payload(Self.framed))
        #expect(Array(message.bytes) == Self.message)
        #expect(!isCompressed)
        #expect(try GRPCFraming.read(payload([1] + Self.framed.dropFirst())).isCompressed)
        #expect(try GRPCFraming.read(payload([0, 0, 0, 0, 0])).message.count == 0)
    }

    @Test func refusesEveryTruncation() {
        #expect(throws: GRPCFraming.Problem.noMessage) { try GRPCFraming.read(.empty) }
        for count in 1..<GRPCFraming.prefixLength {
            #expect(throws: GRPCFraming.Problem.truncated(found: count, wanted: 5)) {
                try GRPCFraming.read(payload(Self.framed.prefix(count)))
            }
        }
        for count in 5..<Self.framed.count {
            #expect(throws: GRPCFraming.Problem.truncated(found: count - 5, wanted: 4)) {
                try GRPCFraming.read(payload(Self.framed.prefix(count)))
            }
        }
    }

    @Test func refusesWhatIsNotOneMessage() {
        #expect(throws: GRPCFraming.Problem.severalMessages(bytesBehind: 9)) {
            try GRPCFraming.read(payload(Self.framed + Self.framed))
        }
        #expect(throws: GRPCFraming.Problem.flag(2)) { try GRPCFraming.read(payload([2, 0, 0, 0, 0])) }
        #expect(throws: GRPCFraming.Problem.truncated(found: 0, wanted: Int(UInt32.max))) {
            try GRPCFraming.read(payload([0, 255, 255, 255, 255]))
        }
    }

    @Test func aPartOfAPayloadOutlivesTheNameOfTheWhole() {
        func part() -> Payload { Payload(payload(Self.framed), from: 5) }
        let message = part()
        #expect(Array(message.bytes) == Self.message)
        #expect(Payload(message, from: 4).count == 0)
    }

    @Test func readsTimeouts() {
        let wanted: [(String, Duration?)] = [
            ("1H", .seconds(3600)), ("2M", .seconds(120)), ("10S", .seconds(10)),
            ("99999999m", .milliseconds(99_999_999)),
            ("5u", .microseconds(5)), ("0n", .zero), ("", nil), ("S", nil), ("10", nil), ("10s", nil), ("-1S", nil),
            ("1.5S", nil), ("123456789S", nil), ("1 S", nil), ("١S", nil), ("1é", nil),
        ]
        for (text, duration) in wanted { #expect(GRPCFraming.timeout(text) == duration, "\(text)") }
    }

    @Test func readsContentTypes() {
        for type in ["application/grpc", "application/grpc+proto", "Application/gRPC", "application/grpc; a=b"] {
            #expect(GRPCFraming.isContentType(type), "\(type)")
        }
        for type in ["", "application/grpc+json", "application/grpc-web", "application/json", "text/application/grpc"] {
            #expect(!GRPCFraming.isContentType(type), "\(type)")
        }
    }

    @Test func encodesMessagesForHeaderFields() {
        #expect(RPCStatus.percentEncoded("a b~") == "a b~")
        #expect(RPCStatus.percentEncoded("100%\r\n\u{0}é\u{7F}") == "100%25%0D%0A%00%C3%A9%7F")
        let long = RPCStatus(code: .unavailable, message: String(repeating: "%", count: 5_000)).fields
        #expect(long.first { $0.name == "grpc-message" }?.value.utf8.count == 3 * 1_024)
    }

    @Test func saysInTheDetailsWhenToComeAgain() {
        let status = RPCStatus(code: .unavailable, message: "busy", retryDelay: .milliseconds(1_500))
        let wanted = Message {
            $0.number(0x08, 14)
            $0.text(0x12, "busy")
            $0.message(0x1A) { any in
                any.text(0x0A, "type.googleapis.com/google.rpc.RetryInfo")
                any.message(0x12) { info in
                    info.message(0x0A) { duration in
                        duration.number(0x08, 1)
                        duration.number(0x10, 500_000_000)
                    }
                }
            }
        }
        #expect(status.protobuf == wanted.bytes)
        let details = status.fields.first { $0.name == "grpc-status-details-bin" }?.value
        #expect(details?.contains { "=\"".contains($0) } == false)
    }
}

private func payload(_ bytes: some Sequence<UInt8>) -> Payload {
    Array(bytes).withUnsafeBytes { .copying($0) }
}
