/// The coding of a request body, as `Content-Encoding` names it.
enum ContentEncoding: String, CaseIterable, Sendable {
    case identity, gzip, deflate, zstd

    /// Reads the value of a `Content-Encoding` header. An empty value is `identity`.
    ///
    /// Several codings in one value are refused: nobody sends them, and each one would multiply what a small body can
    /// grow to.
    init(header value: String) throws(UnsupportedContentEncoding) {
        // RFC 9110 8.4.1: "All content codings are case-insensitive".
        let names = value.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard names.count <= 1 else { throw UnsupportedContentEncoding(value) }
        let name = names.first?.lowercased() ?? ""
        switch name {
        case "": self = .identity
        // RFC 9110 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
        case "x-gzip": self = .gzip
        default:
            guard let known = ContentEncoding(rawValue: name) else { throw UnsupportedContentEncoding(value) }
            self = known
        }
    }
}

/// A `Content-Encoding` that is not one of ``ContentEncoding``. The receiver answers 415.
struct UnsupportedContentEncoding: Error, Equatable, CustomStringConvertible {
    /// The header's value, at most its first 64 characters.
    let value: String

    init(_ value: String) {
        self.value = String(value.unicodeScalars.prefix(64))
    }

    var description: String {
        let known = ContentEncoding.allCases.map(\.rawValue).joined(separator: ", ")
        return "content encoding \"\(value)\" is not supported, wanted one of \(known)"
    }
}
