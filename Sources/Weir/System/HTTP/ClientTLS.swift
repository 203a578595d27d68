import NIOSSL

/// The keys of `tls` in a component that connects: whom it believes, and who it says it is.
struct ClientTLS: Configurable {
    enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    let skipsVerification: Bool
    let caFile: String?
    let certificateFile: String?
    let keyFile: String?
    let minVersion: Version

    init(_ fields: inout Fields) {
        skipsVerification = fields.bool(
            "insecure_skip_verify", default: false, "Believes whoever answers. Anybody on the way can then read all.")
        caFile = fields.optionalString(
            "ca_file", "PEM file of the authorities to believe, in place of the system's.")
        certificateFile = fields.optionalString(
            "cert_file", "PEM file of the own certificate, with those between it and its authority behind it.")
        keyFile = fields.optionalString("key_file", "PEM file of the own certificate's key, without a password.")
        minVersion = fields.choice("min_version", default: .tls12, "The oldest version of TLS to speak.")
        if (certificateFile == nil) != (keyFile == nil) {
            fields.reject(
                certificateFile == nil ? "key_file" : "cert_file", "stands alone, wanted cert_file and key_file")
        }
    }

    /// Reads the files.
    func configuration() throws(TLSFileError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = skipsVerification ? .none : .fullVerification
        switch minVersion {
        case .tls12: tls.minimumTLSVersion = .tlsv12
        case .tls13: tls.minimumTLSVersion = .tlsv13
        }
        if let caFile { tls.trustRoots = .certificates(try certificates(in: caFile)) }
        if let certificateFile, let keyFile {
            tls.certificateChain = try certificates(in: certificateFile).map { .certificate($0) }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
            } catch {
                throw TLSFileError(path: keyFile, wanted: "a key in PEM")
            }
            do {
                // The only one to see that key and certificate are no pair.
                _ = try NIOSSLContext(configuration: tls)
            } catch {
                throw TLSFileError(path: keyFile, wanted: "the key of the certificate in \(certificateFile)")
            }
        }
        return tls
    }

    private func certificates(in path: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw TLSFileError(path: path, wanted: "certificates in PEM")
        }
        return certificates
    }
}

/// A file that `tls` names is not there or not what it should be.
struct TLSFileError: Error, CustomStringConvertible {
    let path: String
    let wanted: String

    var description: String { "cannot use \(path), wanted \(wanted)" }
}
