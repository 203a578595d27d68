/// The keys of `tls` in a listener: who it says it is, and whom it believes.
struct ListenerTLS: Sendable {
    let certificateFile: String
    let keyFile: String
    let clientCAFile: String?
    let minVersion: TLSVersion
    let checkInterval: Duration

    init(_ fields: inout Fields) {
        certificateFile = fields.string(
            "cert_file", "PEM file of the certificate, with those between it and its authority behind it.")
        keyFile = fields.string("key_file", "PEM file of the certificate's key, without a password.")
        clientCAFile = fields.optionalString(
            "client_ca_file", "PEM file of authorities; then only clients with a certificate of theirs are served.")
        minVersion = fields.choice("min_version", default: .tls12, "The oldest version of TLS to speak.")
        checkInterval = fields.duration(
            "check_interval", default: .seconds(1), in: .milliseconds(10)...(.seconds(3600)),
            "How often the files are looked at; when one has changed, they are read again.")
        fields.addTLSFiles(authorities: "client_ca_file", ofClient: false)
    }
}
