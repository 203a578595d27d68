/// What a LangSmith server says of a request.
enum LangSmithAnswer: Equatable {
    case taken
    /// It has one of the operations, or all.
    case known
    case tooLarge
    /// It does not read the compression.
    case unread
    /// The endpoint is not there.
    case missing
    case failed(ExportError)

    /// - Parameter hidesText: what it says is not to be written down.
    init(_ answer: HTTPAnswer, to request: RunRequest, hidesText: Bool = false, at now: Timestamp) {
        let said = hidesText ? answer.bodySize : Self.message(answer.body)
        let text = request.target.withoutSecrets(String(said.unicodeScalars.prefix(1_000)))
        let reason = "the destination answered \(answer.status)" + (text.isEmpty ? "" : ": \(text)")
        switch answer.status {
        case 200...299 where answer.isPage:
            let what = "the destination answered \(answer.status) with a page for people"
            self = .failed(.retryable("\(what); spans wait until endpoint is the URL of LangSmith's API", after: nil))
        case 200...299: self = .taken
        case 409: self = .known
        case 413: self = .tooLarge
        case 404: self = .missing
        case 415 where request.compression != .none: self = .unread
        case 400, 422: self = .failed(.rejected(reason))
        // Nothing is given up because a key has expired.
        case 401, 403: self = .failed(.tenantBlocked(request.tenant, "\(reason); spans wait until it takes the key"))
        case 300...399, 405:
            self = .failed(.retryable("\(reason); spans wait until endpoint is the URL of LangSmith's API", after: nil))
        case 408, 425, 429, 499, 500...:
            self = .failed(.retryable(reason, after: answer.retryAfter.flatMap { Duration(retryAfter: $0, at: now) }))
        // Nor because a plan has run out (402) or something on the way does not like the request: that would empty the
        // journal into the dead letters.
        default: self = .failed(.retryable("\(reason); spans wait until it takes them", after: nil))
        }
    }

    /// `{"error":"…"}` of the service in Go, `{"detail":"…"}` of the older one in Python; or any text.
    private static func message(_ body: [UInt8]) -> String {
        body.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.container(bytes), let said = tree["error"] ?? tree["detail"] else {
                return String(decoding: bytes, as: UTF8.self)
            }
            if let text = said.asText { return text }
            var writer = JSONWriter(capacity: 256)
            writer.value(said)
            return String(decoding: writer.written, as: UTF8.self)
        }
    }
}
