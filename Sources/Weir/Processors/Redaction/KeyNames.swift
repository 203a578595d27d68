/// What is known of keys, from OpenTelemetry's semantic conventions and the vocabularies of LLM instrumentations.
enum KeyNames {
    /// What is not looked for behind keys whose values are ids, versions and names of machines: there, any run of
    /// digits is just that. Telephone numbers, cards and SSN are, where their marks tell.
    static let numbers = DetectorSet.all.subtracting(
        DetectorSet(
            .email, .phone, .creditCard, .usSsn, .iban, .urlCredentials, .jwt, .privateKey, .awsKey, .githubToken,
            .gitlabToken, .slackToken,
            .stripeKey,
            .googleKey, .openaiKey, .anthropicKey, .apiKey, .secret))

    private static let identifiers: Set<String> = [
        "user.id", "user.name", "user.fullname", "enduser.id", "enduser.pseudo.id", "session.id", "session.previousid",
        "mlflow.trace.user", "mlflow.trace.session",
    ]
    /// The last part of a key.
    private static let identifierNames: Set<String> = [
        "userid", "sessionid", "enduserid", "username", "fullname", "userapikeyuserid",
    ]
    private static let clientAddresses: Set<String> = [
        "client.address", "net.peer.ip", "net.sock.peer.addr", "network.peer.address", "source.address",
        "http.clientip",
        "client.ip", "user.ip",
    ]
    private static let structuralPrefixes = [
        "code.", "telemetry.", "k8s.", "container.", "host.", "process.", "os.", "cloud.", "service.", "useragent.",
        "server.", "deployment.", "faas.", "thread.", "net.host.", "network.local.", "webengine.", "device.", "vcs.",
    ]
    /// Texts that anything can stand in, below those.
    private static let freeTexts: Set<String> = [
        "code.stacktrace", "process.commandline", "process.command", "process.commandargs",
    ]
    private static let structuralNames: Set<String> = [
        "id", "traceid", "spanid", "parentid", "parentspanid", "requestid", "correlationid", "version", "timestamp",
        "uuid",
        "hash", "digest", "checksum", "sha256", "etag", "commit", "revision", "port", "pid", "seed", "starttime",
        "endtime",
        "createdat", "updatedat", "timeunixnano", "toolcallid", "callid", "runid", "responseid", "model", "modelname",
    ]

    static func isIdentifier(_ key: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
        let plain = normal(key)
        return identifierNames.contains(normal(name))
            || identifiers.contains { plain == $0 || plain.hasSuffix("." + $0) }
    }

    static func isSecret(_ name: UnsafeRawBufferPointer) -> Bool {
        let text = name.assumingMemoryBound(to: UInt8.self)
        guard let base = text.baseAddress else { return false }
        return SecretWords.ending(base, text.count) != nil
    }

    static func isClientAddress(_ key: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
        let plain = normal(key)
        return clientAddresses.contains { plain == $0 || plain.hasSuffix("." + $0) }
            || ["xforwardedfor", "xrealip", "clientip"].contains(normal(name))
    }

    static func isStructural(_ key: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
        let plain = normal(key)
        return structuralNames.contains(normal(name))
            || structuralPrefixes.contains { plain.hasPrefix($0) } && !freeTexts.contains(plain)
    }

    /// Small letters, without `_` and `-`.
    private static func normal(_ bytes: UnsafeRawBufferPointer) -> String {
        String(
            decoding: bytes.compactMap { $0 == 0x5F || $0 == 0x2D ? nil : isLetter($0) ? $0 | 0x20 : $0 }, as: UTF8.self
        )
    }
}
