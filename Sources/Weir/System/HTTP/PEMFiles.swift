import NIOSSL

/// Certificates and keys in files.
enum PEMFiles {
    static func certificates(in path: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            throw TLSFileError(path: path, wanted: "certificates in PEM")
        }
        return certificates
    }

    static func key(in path: String) throws(TLSFileError) -> NIOSSLPrivateKey {
        guard let key = try? NIOSSLPrivateKey(file: path, format: .pem) else {
            throw TLSFileError(path: path, wanted: "a key in PEM")
        }
        return key
    }
}

/// A file that `tls` names is not there or not what it should be.
struct TLSFileError: Error, CustomStringConvertible {
    let path: String
    let wanted: String

    var description: String { "cannot use \(path), wanted \(wanted)" }
}

extension TLSVersion {
    var minimum: NIOSSL.TLSVersion {
        switch self {
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
