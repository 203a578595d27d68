import NIOSSL

/// The keys of `tls` in a component that connects: whom it believes, and who it says it is.
struct ClientTLS: Configurable {
    /// None at all, where the URL says so too.
    let isInsecure: Bool
    let skipsVerification: Bool
    let caFile: String?
    /// The authorities as text, beside those of the file.
    let caText: String?
    let trustsSystem: Bool
    let certificateFile: String?
    let keyFile: String?
    let minVersion: TLSVersion

    init(_ fields: inout Fields) {
        isInsecure = fields.bool(
            "insecure", default: false, "Accepted beside an http URL, and without effect: the URL says what is spoken.")
        skipsVerification = fields.bool(
            "insecure_skip_verify", default: false, "Believes whoever answers. Anybody on the way can then read all.")
        caFile = fields.optionalString(
            "ca_file", "PEM file of the authorities to believe, in place of the system's.")
        caText = fields.optionalString("ca_pem", "The same as text, alone or beside ca_file.")
        trustsSystem = fields.bool(
            "include_system_ca_certs_pool", default: false, "Whether the system's authorities are believed as well.")
        certificateFile = fields.optionalString(
            "cert_file", "PEM file of the own certificate, with those between it and its authority behind it.")
        keyFile = fields.optionalString("key_file", "PEM file of the own certificate's key, without a password.")
        minVersion = fields.choice("min_version", default: .tls12, "The oldest version of TLS to speak.")
        fields.ignore("reload_interval", "the files are read at the start and at a reload")
        fields.addTLSFiles(authorities: "ca_file", ofClient: true)
        // Who has connected with what they held is made anew at a reload.
        for file in [caFile, certificateFile, keyFile] { if let file { fields.add(sourceFile: file) } }
        if (certificateFile == nil) != (keyFile == nil) {
            fields.reject(
                certificateFile == nil ? "key_file" : "cert_file", "stands alone, wanted cert_file and key_file")
        }
    }

    /// Reads the files.
    func configuration() throws(TLSFileError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = skipsVerification ? .none : .fullVerification
        tls.minimumTLSVersion = minVersion.minimum
        var authorities = try caFile.map(PEMFiles.certificates(in:)) ?? []
        if let caText { authorities += try PEMFiles.certificates(of: caText, named: "ca_pem") }
        if trustsSystem {
            tls.additionalTrustRoots = authorities.isEmpty ? [] : [.certificates(authorities)]
        } else if !authorities.isEmpty {
            tls.trustRoots = .certificates(authorities)
        }
        if let certificateFile, let keyFile {
            let (certificates, key) = (try PEMFiles.certificates(in: certificateFile), try PEMFiles.key(in: keyFile))
            try PEMFiles.requirePair(certificates, key, in: certificateFile, keyFile)
            tls.certificateChain = certificates.map { .certificate($0) }
            tls.privateKey = .privateKey(key)
        }
        return tls
    }
}
