/// A value for a `$1` of a statement.
enum PostgresParameter {
    case null
    case text(String)
    /// In the type's binary format; for `bytea` the bytes themselves.
    case binary([UInt8])

    static func int(_ value: some BinaryInteger) -> PostgresParameter { .text("\(value)") }

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
