import NIOHTTP1
import NIOHTTP2

// Most of what is no HTTP comes from clients that speak another protocol of those that Weir has a port for.
extension HTTPParserError {
    /// What was found and what was wanted.
    var words: String {
        switch self {
        // The parser stops at the preface, RFC 9113 3.4.
        case .paused: "found HTTP/2, as gRPC has it, wanted HTTP/1.1"
        case .invalidMethod: "found no method of HTTP, perhaps TLS on a port without it, wanted HTTP/1.1"
        case .unknown: "found what is no HTTP/1.1, or can be read in two ways, such as two lengths of a body"
        default: "\(self)"
        }
    }
}

extension NIOHTTP2Errors.BadClientMagic {
    /// What was found and what was wanted.
    var words: String { "found no preface of HTTP/2, perhaps HTTP/1.1 or TLS, wanted HTTP/2, as gRPC has it" }
}
