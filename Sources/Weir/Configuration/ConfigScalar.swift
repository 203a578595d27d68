/// A value whose type the author of the file chose, such as the value of an attribute.
enum ConfigScalar: Sendable, Equatable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case strings([String])
}

extension ConfigScalar {
    /// As a person would write it.
    var text: String {
        switch self {
        case .string(let text): text.isEmpty ? "\"\"" : text
        case .bool(let value): String(value)
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .strings(let items): "[" + items.joined(separator: ", ") + "]"
        }
    }
}
