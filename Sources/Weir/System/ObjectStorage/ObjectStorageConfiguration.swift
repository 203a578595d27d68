/// The keys that say which bucket to use, and how.
struct ObjectStorageConfiguration: Sendable {
    let dialect: ObjectDialect
    /// Without the bucket.
    let endpoint: HTTPURL
    let region: String
    let bucket: String
    /// Empty, or ends with a slash.
    var prefix: String
    /// Whether the bucket is a part of the path, or of the host.
    let isPathStyle: Bool
    let credentials: ObjectCredentials.Source
    /// Of the files; nil leaves it to the bucket.
    let storageClass: String?
    /// Whether uploads carry a checksum that the store looks at and keeps.
    let hasChecksums: Bool
    /// Bytes.
    let partSize: Int
    let timeout: Duration
    /// The longest pause before something is tried again.
    let maxRetryInterval: Duration
    /// Bytes a second; 0 is without a limit.
    let maxRate: Int
    let tls: ClientTLS?

    /// Amazon's limit for all parts but the last.
    static let minPart = ByteCount.mebibytes(5)

    init(_ fields: inout Fields) {
        let dialect = fields.choice(
            "provider", default: ObjectDialect.s3, "Whose protocol the store speaks; most speak s3.")
        self.dialect = dialect
        let region = fields.string(
            "region", default: dialect.defaultRegion, "The store's region, which is part of each signature.")
        self.region = region
        let given = fields.parsed(
            "endpoint", default: HTTPURL?.none, type: "URL", "The store, without the bucket; that of the region.",
            HTTPURL.init(parsing:))
        endpoint = given ?? HTTPURL(.https, Endpoint(host: dialect.host(in: region), port: 443))
        if !(endpoint.path.isEmpty || endpoint.path == "/") {
            fields.reject("endpoint", "found a URL with a path, wanted one without; prefix is for that")
        }
        if endpoint.scheme == .http, !endpoint.endpoint.isLoopback {
            fields.warn("endpoint", "is not encrypted: whoever is on the way reads every span")
        }
        bucket = fields.parsed("bucket", standIn: "", "The bucket, which has to be there.", Self.bucket)
        prefix = fields.parsed("prefix", default: "", "What stands in front of every name in it.", Self.prefix)
        isPathStyle = fields.bool(
            "path_style", default: true, "Whether the bucket stands in the path of requests, or in front of the host.")
        credentials = Self.credentials(&fields)
        storageClass = fields.parsed(
            "storage_class", default: String?.none, "Of the files, such as STANDARD_IA; manifests have the bucket's.",
            Self.storageClass)
        hasChecksums = fields.bool(
            "checksums", default: true, "Whether uploads carry a checksum beside the signature.")
        partSize =
            fields.bytes(
                "part_size", default: .mebibytes(16), in: Self.minPart...(.mebibytes(256)),
                "A larger file goes up in parts of that size; one part is in memory."
            ).bytes
        timeout = fields.duration(
            "timeout", default: .seconds(60), in: .milliseconds(100)...(.seconds(3_600)), "What one request may take.")
        maxRetryInterval = fields.duration(
            "max_retry_interval", default: .seconds(20), in: .milliseconds(10)...(.seconds(3_600)),
            "The longest pause before something is tried again; one that the store asks for may be longer.")
        maxRate =
            fields.bytes(
                "max_rate", default: ByteCount(0), in: ByteCount(0)...(.tebibytes(1)),
                "Bytes that go up in a second, at most; 0 is without a limit."
            ).bytes
        tls = fields.optionalSection("tls", "For https: whom to believe, and who to be.", ClientTLS.init)
        if tls != nil, endpoint.scheme != .https { fields.reject("tls", "found a URL with http, wanted https") }
    }

    private static func credentials(_ fields: inout Fields) -> ObjectCredentials.Source {
        let id = fields.optionalString("access_key_id", secret: true, "Who signs, such as ${env:AWS_ACCESS_KEY_ID}.")
        let secret = fields.optionalString(
            "secret_access_key", secret: true, "With what, such as ${env:AWS_SECRET_ACCESS_KEY}.")
        let token = fields.optionalString(
            "session_token", secret: true, "That of temporary credentials.")
        let file = fields.optionalString(
            "credentials_file", "In place of these, a file as ~/.aws/credentials; a changed file is taken.")
        let profile = fields.string("profile", default: "default", "Which section of the file.")
        switch (id ?? "", secret ?? "", file) {
        case (let id, let secret, nil) where !id.isEmpty && !secret.isEmpty:
            let sessionToken = token.flatMap { $0.isEmpty ? nil : $0 }
            if !(id + secret + (token ?? "")).utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                fields.reject("access_key_id", "found credentials with blanks or control characters, wanted none")
            }
            return .given(ObjectCredentials(id: id, secret: secret, sessionToken: sessionToken))
        case ("", "", let file?):
            let source = ObjectCredentials.Source.file(file, profile: profile)
            do throws(ConfigError) {
                if fields.mode == .reading { _ = try source.read() }
            } catch {
                fields.reject("credentials_file", error.message)
            }
            return source
        case (_, _, .some):
            fields.reject("credentials_file", "found two kinds of credentials, wanted one")
        default:
            fields.reject(
                "", "found no credentials, wanted access_key_id and secret_access_key, or credentials_file")
        }
        return .given(ObjectCredentials(id: "", secret: "", sessionToken: nil))
    }

    private static func bucket(_ text: String) throws(ConfigError) -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard (3...222).contains(text.utf8.count), isName, !text.hasPrefix("."), !text.contains("..") else {
            throw ConfigError(
                found: text.quotedForMessage, wanted: "the name of a bucket: 3 or more of A-Z a-z 0-9 - . _")
        }
        return text
    }

    static func prefix(_ text: String) throws(ConfigError) -> String {
        let parts = text.split(separator: "/")
        guard text.utf8.count <= 512, !parts.contains(where: { $0 == "." || $0 == ".." }),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw ConfigError(
                found: text.quotedForMessage,
                wanted: "at most 512 characters of ASCII, without . and .. between slashes")
        }
        return parts.map { "\($0)/" }.joined()
    }

    static func storageClass(_ text: String) throws(ConfigError) -> String? {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x5F })
        else { throw ConfigError(found: text.quotedForMessage, wanted: "a storage class such as STANDARD_IA") }
        return text
    }
}
