/// Why a request body could not be decoded.
enum InflateError: Error, Equatable, CustomStringConvertible {
    /// The body is larger than `limit` bytes after decoding. The receiver answers 413.
    case tooLarge(limit: Int)
    /// The body is not what its `Content-Encoding` says. The receiver answers 400.
    case corrupt(String)
    /// The library got no memory. The receiver answers 503.
    case outOfMemory

    var description: String {
        switch self {
        case .tooLarge(let limit): "the body is larger than \(limit) bytes after decoding"
        case .corrupt(let reason): reason
        case .outOfMemory: "no memory to decode the body"
        }
    }
}
