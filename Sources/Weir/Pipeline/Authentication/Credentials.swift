/// What a client shows to prove who it is. Never shown again: neither in a log nor in an answer.
struct Credentials: Sendable {
    /// Bytes of a key; a longer one is none. A JSON Web Token takes some thousands.
    static let maximumLength = 8 << 10

    /// Empty where there is none; then there is a certificate.
    let key: String
    /// Counts only where no key came.
    var certificate: ClientCertificate?
}
