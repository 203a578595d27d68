import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix

/// There was no answer, or not a whole one. Whether the server has acted upon the request is not known.
struct HTTPFailure: Error, CustomStringConvertible {
    /// `127.0.0.1:4318: Connection refused`
    let description: String

    init(_ error: any Error, at endpoint: Endpoint) {
        description = "\(endpoint): \(Self.reason(error))"
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case is CancellationError: "cancelled while it was waited for"
        case let error as HTTPClientError: error.shortDescription.lowercased()
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            (error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError).map(reason)
                ?? "the name has no address"
        default: String("\(error)".prefix(500))
        }
    }
}
