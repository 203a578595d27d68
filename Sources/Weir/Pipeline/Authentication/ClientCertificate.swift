/// What a certificate that a listener has verified says of its owner.
struct ClientCertificate: Sendable, Equatable {
    /// The subject as RFC 2253 has it, `CN=shop,O=Example`, and the alternative names as `DNS:…`, `URI:…` and
    /// `email:…`.
    let names: [String]
}
