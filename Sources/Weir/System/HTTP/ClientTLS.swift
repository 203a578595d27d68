import NIOSSL

/// The keys of `tls` in a component that connects: whom it believes, and who it says it is.
struct ClientTLS: Configurable {
    let skipsVerification: Bool
    let caFile: String?
    let certificateFile: String?
    let keyFile: String?
    let minVersion: TLSVersion

    init(_ fields: inout Fields) {
        skipsVerification = fields.bool(
            "insecure_skip_verify", default: false, "Believes whoever answers. Anybody on the way can then read all.")
        caFile = fields.optionalString(
            "ca_file", "PEM file of the authorities to believe, in place of the system's.")
        certificateFile = fields.optionalString(
            "cert_file", "PEM file of the own certificate, with those between it and its authority behind it.")
        keyFile = fields.optionalString("key_file", "PEM file of the own certificate's key, without a password.")
        minVersion = fields.choice("min_version", default: .tls12, "The oldest version of TLS to speak.")
        fields.addTLSFiles(authorities: "ca_file")
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
        if let caFile { tls.trustRoots = .certificates(try PEMFiles.certificates(in: caFile)) }
        if let certificateFile, let keyFile {
            let (certificates, key) = (try PEMFiles.certificates(in: certificateFile), try PEMFiles.key(in: keyFile))
            try PEMFiles.requirePair(certificates, key, in: certificateFile, keyFile)
            tls.certificateChain = certificates.map { .certificate($0) }
            tls.privateKey = .privateKey(key)
        }
        return tls
    }
}
