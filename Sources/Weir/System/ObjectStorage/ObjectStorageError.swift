/// A store of objects did not do what it was asked for.
struct ObjectStorageError: Error, CustomStringConvertible {
    /// 0 where there was no answer, or none that could be read.
    let status: Int
    /// The store's word for it, such as `NoSuchKey`; may be empty.
    let code: String
    let reason: String
    /// What the store asks to wait.
    let pause: Duration?

    init(
        _ answer: HTTPAnswer, at now: Timestamp, hiding credentials: ObjectCredentials? = nil,
        _ signature: String? = nil
    ) {
        let text = String(decoding: answer.body, as: UTF8.self)
        status = answer.status
        code = String((XMLElements.first("Code", in: text[...]) ?? "").unicodeScalars.prefix(100))
        // Some servers repeat what they do not accept, the credentials among it.
        var message = XMLElements.first("Message", in: text[...]) ?? ""
        let secrets = [credentials?.secret, credentials?.sessionToken, signature].compactMap { $0 }
        for secret in secrets where secret.count >= 8 {
            message = message.replacing(secret, with: EffectiveConfiguration.hidden)
        }
        reason = String(message.unicodeScalars.prefix(300))
        pause = answer.retryAfter.flatMap { Duration(retryAfter: $0, at: now) }
    }

    init(status: Int, code: String, _ reason: String) {
        (self.status, self.code, self.reason, pause) = (status, code, reason, nil)
    }

    /// There was no answer, or one that says nothing.
    init(_ reason: String) {
        (status, code, self.reason, pause) = (0, "", reason, nil)
    }

    /// Something has no such name.
    var isMissing: Bool { status == 404 }
    /// The condition of a put does not hold.
    var isConflict: Bool { status == 412 }

    /// Whether the same request may be taken a moment later.
    var isRetryable: Bool {
        switch status {
        case 0, 429, 500, 502, 503, 504: true
        case 400: code == "RequestTimeout" || code == "SlowDown"
        case 409: code == "ConditionalRequestConflict" || code == "OperationAborted"
        default: false
        }
    }

    /// `found status 403 SignatureDoesNotMatch: The request signature …`
    var description: String {
        guard status > 0 else { return reason }
        return ["found status \(status)", code].joined(separator: code.isEmpty ? "" : " ")
            + (reason.isEmpty ? "" : ": \(reason)")
    }
}
