import NIOSSL

/// Certificates and keys in files.
enum PEMFiles {
    static func certificates(in path: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw TLSFileError(path: path, wanted: "certificates in PEM")
        }
        return certificates
    }

    /// - Parameter name: what the text is called in an error.
    static func certificates(of text: String, named name: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8)), !certificates.isEmpty else {
            throw TLSFileError(path: name, wanted: "certificates in PEM")
        }
        return certificates
    }

    static func key(in path: String) throws(TLSFileError) -> NIOSSLPrivateKey {
        guard let key = try? NIOSSLPrivateKey(file: path, format: .pem) else {
            throw TLSFileError(path: path, wanted: "a key in PEM, without a password")
        }
        return key
    }

    static func requirePair(
        _ certificates: [NIOSSLCertificate], _ key: NIOSSLPrivateKey, in certificateFile: String, _ keyFile: String
    ) throws(TLSFileError) {
        let both = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        do {
            // The only one to see that key and certificate are no pair.
            _ = try NIOSSLContext(configuration: both)
        } catch {
            throw TLSFileError(path: keyFile, wanted: "the key of the certificate in \(certificateFile)")
        }
    }
}

/// A file that `tls` names is not there or not what it should be.
struct TLSFileError: Error, CustomStringConvertible {
    let path: String
    let wanted: String

    var description: String {
        let state = FileStamp(of: path) == nil ? ", which is not there" : ""
        return "cannot use \(path)\(state), wanted \(wanted)"
    }
}

extension TLSVersion {
    var minimum: NIOSSL.TLSVersion {
        switch self {
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
