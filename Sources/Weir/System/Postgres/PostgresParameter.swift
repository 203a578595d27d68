/// A value for a `$1` of a statement.
enum PostgresParameter {
    case null
    case text(String)
    /// In the type's binary format; for `bytea` the bytes themselves.
    case binary([UInt8])

    static func int(_ value: some BinaryInteger) -> PostgresParameter { .text("\(value)") }

    /// An array, in the text format of the server (its manual, 8.15.2).
    static func array(_ values: some Sequence<String>) -> PostgresParameter {
        var text = Array("{".utf8)
        for value in values {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text.append(UInt8(ascii: "\""))
            for byte in value.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            }
            text.append(UInt8(ascii: "\""))
        }
        return .text(String(decoding: text + "}".utf8, as: UTF8.self))
    }

    /// Null-terminated where it is text.
    var bytes: [UInt8]? {
        switch self {
        case .null: nil
        case .text(let text): Array(text.utf8) + [0]
        case .binary(let bytes): bytes
        }
    }

    var isBinary: Bool {
        if case .binary = self { true } else { false }
    }
}
