import Glibc
import NIOSSL

/// Looks into the files that a section `tls` names, without serving or connecting.
///
/// A key is a secret, and whoever checks a configuration need not have it: where it is missing, or may not be read,
/// that is a warning. Certificates are public, and have to be there.
struct TLSFileCheck {
    private(set) var diagnostics: Diagnostics
    private let needsKey: Bool

    /// - Parameters:
    ///   - now: for whether certificates are valid.
    ///   - needsKey: whether it is the one who uses them that looks.
    init(_ files: TLSFiles, now: Timestamp, needsKey: Bool = false) {
        diagnostics = Diagnostics(file: files.origin)
        self.needsKey = needsKey
        let own = certificates(files.certificate, now)
        _ = certificates(files.authorities, now)
        check(files.key, of: own, in: files.certificate)
    }

    private mutating func certificates(_ file: TLSFiles.File?, _ now: Timestamp) -> [NIOSSLCertificate] {
        guard let file else { return [] }
        guard FileStamp(of: file.name) != nil else {
            add(.error, file, "\(file.name) is not there")
            return []
        }
        do throws(TLSFileError) {
            let found = try PEMFiles.certificates(in: file.name)
            let seconds = Int(now.nanoseconds / 1_000_000_000)
            if let over = found.first(where: { $0.notValidAfter < seconds }) {
                add(.warning, file, "\(file.name) holds a certificate that expired on \(Self.day(over.notValidAfter))")
            }
            if let early = found.first(where: { $0.notValidBefore > seconds }) {
                let day = Self.day(early.notValidBefore)
                add(.warning, file, "\(file.name) holds a certificate that is not valid before \(day)")
            }
            return found
        } catch {
            add(.error, file, "\(error)")
            return []
        }
    }

    private mutating func check(
        _ file: TLSFiles.File?, of certificates: [NIOSSLCertificate], in certificateFile: TLSFiles.File?
    ) {
        guard let file else { return }
        guard access(file.name, R_OK) == 0 else {
            let reason = FileStamp(of: file.name) == nil ? "is not there" : "may not be read by who checks"
            return add(
                needsKey ? .error : .warning, file,
                "\(file.name) \(reason), so nobody has looked whether it fits its certificate")
        }
        do throws(TLSFileError) {
            let key = try PEMFiles.key(in: file.name)
            guard let certificateFile, !certificates.isEmpty else { return }
            try PEMFiles.requirePair(certificates, key, in: certificateFile.name, file.name)
        } catch {
            add(.error, file, "\(error)")
        }
    }

    private mutating func add(_ severity: Diagnostic.Severity, _ file: TLSFiles.File, _ message: String) {
        diagnostics.add(severity, line: file.line, path: file.path, message)
    }

    /// - Parameter seconds: since 1970.
    private static func day(_ seconds: Int) -> String {
        CalendarTime(secondsSince1970: max(0, seconds)).date
    }
}
