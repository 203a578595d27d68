import Logging
import NIOSSL
import Synchronization

/// TLS of one listener, with certificates that are read again when their files have changed: a connection gets those
/// that are there when it begins.
final class ServerTLS: Sendable {
    private let settings: ListenerTLS
    private let versions: HTTPVersions
    private let stampsAtStart: [FileStamp?]
    private let context: Mutex<NIOSSLContext>
    private let reloadFailures: Counter
    private let handshakeFailures: Counter
    private let logger: Logger

    init(_ settings: ListenerTLS, _ context: Context, _ versions: HTTPVersions) throws(TLSFileError) {
        self.settings = settings
        self.versions = versions
        // Before they are read: what changes until somebody looks is seen at the first look.
        stampsAtStart = Self.stamps(of: settings)
        self.context = Mutex(try Self.read(settings, versions))
        logger = context.logger
        let labels = ["component": context.id.description]
        reloadFailures = context.metrics.counter(
            "weir_tls_reload_failures", help: "Times that changed certificates could not be used.", labels: labels)
        handshakeFailures = context.metrics.counter(
            "weir_tls_handshake_failures", help: "Connections that ended before both sides agreed.", labels: labels)
    }

    /// For the next connection.
    func makeHandler() -> NIOSSLServerHandler {
        NIOSSLServerHandler(context: context.withLock { $0 })
    }

    /// - Parameter address: of the client.
    func noteFailure(_ error: any Error, from address: String) {
        handshakeFailures.add()
        logger.warning(
            "a TLS connection failed", metadata: ["client": "\(address)", "reason": "\(Self.reason(error))"])
    }

    /// BoringSSL's word for it, such as `no shared cipher`; around it stand numbers and places in its source.
    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return text }
        let word = text[mark.upperBound...].prefix { $0 == "_" || $0.isLetter || $0.isNumber }
        return word.lowercased().replacing("_", with: " ")
    }

    /// Looks at the files until the task is cancelled.
    func watch() async {
        var seen = stampsAtStart
        while (try? await Task.sleep(for: settings.checkInterval)) != nil {
            let now = Self.stamps(of: settings)
            if now != seen { reload() }
            seen = now
        }
    }

    private static func stamps(of settings: ListenerTLS) -> [FileStamp?] {
        [settings.certificateFile, settings.keyFile, settings.clientCAFile].map { $0.flatMap(FileStamp.init(of:)) }
    }

    private func reload() {
        do throws(TLSFileError) {
            let new = try Self.read(settings, versions)
            context.withLock { $0 = new }
            logger.info("certificates read", metadata: ["file": "\(settings.certificateFile)"])
        } catch {
            reloadFailures.add()
            logger.error("certificates stay as they were", metadata: ["reason": "\(error)"])
        }
    }

    private static func read(
        _ settings: ListenerTLS, _ versions: HTTPVersions
    ) throws(TLSFileError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try PEMFiles.certificates(in: settings.certificateFile).map { .certificate($0) },
            privateKey: .privateKey(try PEMFiles.key(in: settings.keyFile)))
        tls.minimumTLSVersion = settings.minVersion.minimum
        tls.applicationProtocols = versions.applicationProtocols
        if let authorities = settings.clientCAFile {
            tls.trustRoots = .certificates(try PEMFiles.certificates(in: authorities))
            // Of a client it is not the host's name that counts, but who vouches for it.
            tls.certificateVerification = .noHostnameVerification
        }
        do {
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw TLSFileError(
                path: settings.keyFile, wanted: "the key of the certificate in \(settings.certificateFile)")
        }
    }
}
