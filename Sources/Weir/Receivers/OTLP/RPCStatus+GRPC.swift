extension RPCStatus {
    /// Characters of a message that a client is told at most.
    private static let maxMessage = 1_024

    /// The fields that end a response.
    var fields: [(name: String, value: String)] {
        guard code != .ok else { return [("grpc-status", "0")] }
        return [
            ("grpc-status", "\(code.rawValue)"), ("grpc-message", Self.percentEncoded(message.prefix(Self.maxMessage))),
            ("grpc-status-details-bin", Self.base64(protobuf)),
        ]
    }

    /// "Percent-Encoded → 1*(Percent-Byte-Unencoded / Percent-Byte-Encoded)": printable ASCII but `%` stands as it is.
    static func percentEncoded(_ text: some StringProtocol) -> String {
        var encoded = ""
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + byte.digits(2, radix: 16).uppercased()
            }
        }
        return encoded
    }

    /// "Binary-Header": base64; "implementations … should emit un-padded values".
    private static func base64(_ bytes: [UInt8]) -> String {
        var writer = JSONWriter(capacity: bytes.count * 2)
        bytes.withUnsafeBytes { writer.base64($0) }
        return String(
            decoding: writer.written.filter { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }
}
