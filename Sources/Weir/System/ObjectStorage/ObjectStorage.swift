import Synchronization

/// A bucket of a store that speaks the protocol of Amazon S3, and what stands below one prefix in it.
///
/// Every request is signed with the hash of its body, so what the store took is what was sent. One that may be taken a
/// moment later is repeated here, some times; whoever wants it to be for ever asks again.
final class ObjectStorage: Sendable {
    /// What is known of an object without reading it.
    struct Object: Sendable, Equatable {
        let size: Int
        /// The SHA-256 that it was uploaded with, as hexadecimal digits.
        let sha256: String?
        /// Changes with its content.
        let version: String
        /// Nil where the store does not say; Amazon does not of the usual one.
        var storageClass: String?
    }

    /// Of one request.
    static let maxAttempts = 8
    private static let firstPause = Duration.milliseconds(200)
    /// Seconds that a store's clock may be away from this machine's to be believed: a century.
    private static let maxSkew = 3_155_760_000
    /// Bytes of an answer that is no object.
    static let maxAnswer = 4 << 20
    /// Objects are read in pieces of so many bytes.
    static let piece = 8 << 20

    let configuration: ObjectStorageConfiguration
    private let client: HTTPClient
    private let credentials: ObjectCredentialsCache
    private let onRetry: @Sendable (ObjectStorageError) -> Void
    /// What the store's clock is ahead of this machine's, in seconds; 0 until it complains.
    private let skew = Atomic<Int>(0)
    /// When the next body may begin to go up.
    private let free = Mutex<ContinuousClock.Instant?>(nil)

    init(
        _ configuration: ObjectStorageConfiguration,
        onRetry: @escaping @Sendable (ObjectStorageError) -> Void = { _ in }
    ) throws(TLSFileError) {
        self.configuration = configuration
        self.onRetry = onRetry
        client = try HTTPClient(tls: configuration.tls)
        credentials = ObjectCredentialsCache(configuration.credentials)
    }

    /// `s3://bucket/prefix/`
    var description: String { "s3://\(configuration.bucket)/\(configuration.prefix)" }

    func shutDown() async {
        await client.shutDown()
    }

    // MARK: Objects

    /// Nil where there is none.
    func head(_ key: String) async throws(ObjectStorageError) -> Object? {
        do throws(ObjectStorageError) {
            return object(try await perform("HEAD", key))
        } catch {
            if error.isMissing { return nil }
            guard [301, 307, 400, 403].contains(error.status) else { throw error }
        }
        // RFC 9110 9.3.2: "the server MUST NOT send content in the response", so it did not say why.
        do throws(ObjectStorageError) {
            _ = try await perform("GET", key, headers: [("range", "bytes=0-0")])
        } catch {
            if error.isMissing { return nil }
            // A byte that is not there, or in an archive from which it would have to be brought first.
            guard error.status == 416 || error.code == "InvalidObjectState" else { throw error }
        }
        return object(try await perform("HEAD", key))
    }

    /// An object that is small; nil where there is none.
    /// - Parameter limit: bytes; a longer one is an error.
    func get(_ key: String, limit: Int) async throws(ObjectStorageError) -> (object: Object, bytes: [UInt8])? {
        do throws(ObjectStorageError) {
            let answer = try await perform("GET", key, limit: limit + 1)
            guard answer.body.count <= limit else {
                throw ObjectStorageError(status: answer.status, code: "", "\(key): found more than \(limit) bytes")
            }
            return (object(answer), answer.body)
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    /// Calls `body` with all of an object, piece by piece.
    /// - Throws: also where it changed meanwhile.
    func read(_ key: String, _ body: ([UInt8]) throws -> Void) async throws {
        var version: String?
        var start = 0
        while true {
            var headers = [(name: "range", value: "bytes=\(start)-\(start + Self.piece - 1)")]
            if let version, configuration.dialect == .s3 { headers.append(("if-match", version)) }
            let answer: HTTPAnswer
            do throws(ObjectStorageError) {
                answer = try await perform("GET", key, headers: headers, limit: Self.piece + 1)
            } catch {
                // RFC 9110 15.5.17: behind the last byte nothing can be asked for. So is an empty object.
                guard error.status == 416 else { throw error }
                return
            }
            let now = object(answer).version
            guard version == nil || version == now else {
                throw ObjectStorageError("\(key): changed while it was read")
            }
            // A store that takes no heed of ranges gives the whole object.
            guard answer.status == 206 || answer.body.count <= Self.piece && start == 0 else {
                throw ObjectStorageError("\(key): found status \(answer.status) for a range, wanted 206")
            }
            version = now
            try body(answer.body)
            start += answer.body.count
            guard answer.status == 206, answer.body.count == Self.piece else { return }
        }
    }

    /// - Parameters:
    ///   - sha256: of the body.
    ///   - condition: see ``ObjectDialect/ifAbsent``.
    func put(
        _ body: [UInt8], at key: String, sha256: [UInt8], storageClass: String? = nil,
        if condition: (name: String, value: String)? = nil
    ) async throws(ObjectStorageError) {
        var headers = described(Digest.hex(sha256), storageClass) + checksum(of: body, sha256)
        if let condition { headers.append(condition) }
        _ = try await perform("PUT", key, headers: headers, body: body, hash: sha256)
    }

    /// Gives an object another storage class, by a copy of it in its own place.
    /// - Parameter object: what it is known to be; one that is something else by now is not changed.
    func move(_ key: String, _ object: Object, to storageClass: String) async throws(ObjectStorageError) {
        let (dialect, prefix) = (configuration.dialect, configuration.dialect.prefix)
        let source = "/\(configuration.bucket)/\(configuration.prefix)\(key)"
        let answer = try await perform(
            "PUT", key,
            headers: [
                ("\(prefix)copy-source", RequestSigner.encode(source, isPath: true)),
                ("\(prefix)metadata-directive", "COPY"), ("\(prefix)storage-class", storageClass),
                (dialect.ifSourceIsStill, object.version),
            ])
        // An answer of success may say that it failed.
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let code = XMLElements.first("Code", in: text[...]) else { return }
        throw ObjectStorageError(status: 503, code: code, "\(key): was not copied")
    }

    /// The storage class that a bucket of Google's gives to objects that ask for none; nil where it does not say.
    func defaultClass() async throws(ObjectStorageError) -> String? {
        let answer = try await perform("GET", nil, query: [("storageClass", "")])
        return XMLElements.first("StorageClass", in: String(decoding: answer.body, as: UTF8.self)[...])
    }

    /// Nothing, where there is none.
    func delete(_ key: String) async throws(ObjectStorageError) {
        do throws(ObjectStorageError) {
            _ = try await perform("DELETE", key)
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    /// Calls `body` with the keys that begin so, some at a time, in their order.
    func list(_ start: String, _ body: ([String]) throws -> Void) async throws {
        let own = configuration.prefix
        var token: String?
        repeat {
            var query = [("list-type", "2"), ("prefix", own + start)]
            if let token { query.append(("continuation-token", token)) }
            let answer = try await perform("GET", nil, query: query)
            let text = String(decoding: answer.body, as: UTF8.self)[...]
            let keys = XMLElements.all("Contents", in: text).compactMap { XMLElements.first("Key", in: $0) }
            try body(keys.filter { $0.hasPrefix(own) }.map { String($0.dropFirst(own.count)) })
            let next = XMLElements.first("NextContinuationToken", in: text)
            guard next != token || next == nil else { throw ObjectStorageError("a listing does not go on") }
            token = next
        } while token != nil
    }

    // MARK: Header fields

    /// - Parameter sha256: of the whole object, as hexadecimal digits.
    func described(_ sha256: String, _ storageClass: String?) -> [(name: String, value: String)] {
        let prefix = configuration.dialect.prefix
        return [("\(prefix)meta-sha256", sha256)]
            + (storageClass.map { [("\(prefix)storage-class", $0)] } ?? [])
    }

    func checksum(of body: [UInt8], _ sha256: [UInt8]) -> [(name: String, value: String)] {
        guard configuration.hasChecksums else { return [] }
        guard configuration.dialect == .gcs else { return [("x-amz-checksum-sha256", Digest.base64(sha256))] }
        let hash = body.withUnsafeBytes { Digest.hash($0, .md5) }
        return hash.isEmpty ? [] : [("content-md5", Digest.base64(hash))]
    }

    private func object(_ answer: HTTPAnswer) -> Object {
        Object(
            size: answer.headers["content-length"].flatMap { Int($0) } ?? 0,
            sha256: answer.headers["\(configuration.dialect.prefix)meta-sha256"],
            version: answer.headers[configuration.dialect.version] ?? "",
            storageClass: answer.headers["\(configuration.dialect.prefix)storage-class"])
    }
}

// MARK: - Requests

extension ObjectStorage {
    /// - Parameter key: from the prefix on; nil for the bucket itself.
    func perform(
        _ method: String, _ key: String?, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, hash: [UInt8]? = nil,
        limit: Int = maxAnswer
    ) async throws(ObjectStorageError) -> HTTPAnswer {
        var backoff = Backoff(
            initial: min(Self.firstPause, configuration.maxRetryInterval), longest: configuration.maxRetryInterval,
            multiplier: 2)
        var attempt = 1
        var hasSetClock = false
        while true {
            await awaitRoom(for: body?.count ?? 0)
            let failure: ObjectStorageError
            do throws(ObjectStorageError) {
                return try await once(method, key, query, headers, body, hash ?? Digest.sha256(body ?? []), limit)
            } catch {
                failure = error
            }
            if failure.code == "RequestTimeTooSkewed", !hasSetClock {
                hasSetClock = true
                continue
            }
            guard failure.isRetryable, attempt < Self.maxAttempts, !Task.isCancelled else { throw failure }
            attempt += 1
            onRetry(failure)
            try? await Task.sleep(for: backoff.next(named: failure.pause, chance: .random(in: 0...1)))
        }
    }

    private func once(
        _ method: String, _ key: String?, _ query: [(name: String, value: String)],
        _ headers: [(name: String, value: String)], _ body: [UInt8]?, _ hash: [UInt8], _ limit: Int
    ) async throws(ObjectStorageError) -> HTTPAnswer {
        let credentials: ObjectCredentials
        do throws(ConfigError) { credentials = try self.credentials.current() } catch {
            throw ObjectStorageError("credentials: \(error.message)")
        }
        let endpoint = configuration.endpoint.endpoint
        let host = configuration.isPathStyle ? endpoint.host : "\(configuration.bucket).\(endpoint.host)"
        let url = HTTPURL(
            configuration.endpoint.scheme, Endpoint(host: host, port: endpoint.port),
            path: RequestSigner.encode(path(of: key), isPath: true))
        let signer = RequestSigner(
            dialect: configuration.dialect, region: configuration.region, credentials: credentials)
        let skew = skew.load(ordering: .relaxed)
        let now = Timestamp.now()
        let signed = signer.sign(
            method, url.path, query: query, headers: [("host", Self.authority(of: url))] + headers, payload: hash,
            at: Timestamp(nanoseconds: now.nanoseconds &+ UInt64(bitPattern: Int64(skew) * 1_000_000_000)))
        let answer: HTTPAnswer
        do throws(HTTPFailure) {
            answer = try await client.send(
                method, body, to: url, query: RequestSigner.query(query), headers: signed, limit: limit,
                timeout: configuration.timeout)
        } catch {
            throw ObjectStorageError(error.description)
        }
        if (200...299).contains(answer.status) { return answer }
        let signature = signed.last?.value.split(separator: "=").last.map(String.init)
        let failure = ObjectStorageError(answer, at: now, hiding: credentials, signature)
        if failure.code == "RequestTimeTooSkewed", let date = answer.headers["date"],
            let theirs = Timestamp(httpDate: date)
        {
            let skew = Int(theirs.nanoseconds / 1_000_000_000) - Int(now.nanoseconds / 1_000_000_000)
            if abs(skew) <= Self.maxSkew { self.skew.store(skew, ordering: .relaxed) }
        }
        throw failure
    }

    private func path(of key: String?) -> String {
        let bucket = configuration.isPathStyle ? "/\(configuration.bucket)" : ""
        guard let key else { return bucket.isEmpty ? "/" : bucket }
        return "\(bucket)/\(configuration.prefix)\(key)"
    }

    /// RFC 9110 7.2: the port is left out where it is the scheme's.
    private static func authority(of url: HTTPURL) -> String {
        let text = url.endpoint.description
        return url.endpoint.port == url.scheme.port ? String(text.dropLast(":\(url.endpoint.port)".count)) : text
    }

    /// Keeps to ``ObjectStorageConfiguration/maxRate``.
    private func awaitRoom(for bytes: Int) async {
        guard configuration.maxRate > 0, bytes > 0 else { return }
        let now = ContinuousClock.now
        let start = free.withLock { free in
            let start = max(free ?? now, now)
            free = start + .seconds(1) * (Double(bytes) / Double(configuration.maxRate))
            return start
        }
        if start > now { try? await Task.sleep(until: start) }
    }
}
