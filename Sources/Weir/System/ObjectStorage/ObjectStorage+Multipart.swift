// Large objects go up in parts. What is there of an upload is known by the store alone, and asked for: so it goes on
// after a restart, and none is forgotten there.
extension ObjectStorage {
    struct Part: Sendable, Equatable {
        let number: Int
        /// The store's name for its content; what the upload is completed with.
        let tag: String
        let size: Int
        /// SHA-256, in base64; nil where the store does not say.
        let checksum: String?
    }

    static let maxParts = 10_000

    /// - Parameter sha256: of the whole object, as hexadecimal digits.
    /// - Returns: the upload's id.
    func beginUpload(
        _ key: String, sha256: String, storageClass: String?
    ) async throws(ObjectStorageError) -> String {
        var headers = described(sha256, storageClass)
        if hasPartChecksums { headers.append(("x-amz-checksum-algorithm", "SHA256")) }
        let answer = try await perform("POST", key, query: [("uploads", "")], headers: headers)
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let id = XMLElements.first("UploadId", in: text[...]), !id.isEmpty else {
            throw ObjectStorageError("\(key): found no UploadId in the answer")
        }
        return id
    }

    /// Those of exactly this object that were not completed, the last one last. More than a thousand are not looked at.
    func uploads(of key: String) async throws(ObjectStorageError) -> [String] {
        let name = configuration.prefix + key
        let answer = try await perform("GET", nil, query: [("uploads", ""), ("prefix", name)])
        let text = String(decoding: answer.body, as: UTF8.self)
        return XMLElements.all("Upload", in: text[...]).filter { XMLElements.first("Key", in: $0) == name }
            .map { (XMLElements.first("Initiated", in: $0) ?? "", XMLElements.first("UploadId", in: $0) ?? "") }
            .sorted { $0 < $1 }.map(\.1).filter { !$0.isEmpty }
    }

    /// Those that the store has of an upload, by number.
    func parts(of upload: String, _ key: String) async throws(ObjectStorageError) -> [Int: Part] {
        var parts: [Int: Part] = [:]
        var marker: Int?
        repeat {
            var query = [("uploadId", upload)]
            if let marker { query.append(("part-number-marker", "\(marker)")) }
            let answer = try await perform("GET", key, query: query)
            let text = String(decoding: answer.body, as: UTF8.self)[...]
            for entry in XMLElements.all("Part", in: text) {
                guard let number = XMLElements.first("PartNumber", in: entry).flatMap({ Int($0) }),
                    let tag = XMLElements.first("ETag", in: entry),
                    let size = XMLElements.first("Size", in: entry).flatMap({ Int($0) })
                else { continue }
                parts[number] = Part(
                    number: number, tag: tag, size: size, checksum: XMLElements.first("ChecksumSHA256", in: entry))
            }
            let next =
                XMLElements.first("IsTruncated", in: text) == "true"
                ? XMLElements.first("NextPartNumberMarker", in: text).flatMap { Int($0) } : nil
            // It is a number of a part, so there is an end.
            if let next, !(marker ?? -1 < next && next <= Self.maxParts) {
                throw ObjectStorageError("\(key): a listing does not go on")
            }
            marker = next
        } while marker != nil
        return parts
    }

    /// Whether the store has the part with this content. Where it does not say so, it has not.
    func has(_ part: Part, _ body: [UInt8], sha256: [UInt8]) -> Bool {
        guard part.size == body.count else { return false }
        if hasPartChecksums { return part.checksum == Digest.base64(sha256) }
        let hash = body.withUnsafeBytes { Digest.hash($0, .md5) }
        return !hash.isEmpty && part.tag.filter { $0 != "\"" } == Digest.hex(hash)
    }

    func putPart(
        _ number: Int, _ body: [UInt8], sha256: [UInt8], of upload: String, _ key: String
    ) async throws(ObjectStorageError) -> Part {
        let answer = try await perform(
            "PUT", key, query: [("partNumber", "\(number)"), ("uploadId", upload)],
            headers: checksum(of: body, sha256), body: body, hash: sha256)
        guard let tag = answer.headers["etag"], !tag.isEmpty else {
            throw ObjectStorageError("\(key): found no ETag in the answer to part \(number)")
        }
        return Part(
            number: number, tag: tag, size: body.count, checksum: hasPartChecksums ? Digest.base64(sha256) : nil)
    }

    func complete(_ upload: String, _ key: String, _ parts: [Part]) async throws(ObjectStorageError) {
        var text = "<CompleteMultipartUpload>"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLElements.escaped(part.tag))</ETag>"
            if let checksum = part.checksum, hasPartChecksums { text += "<ChecksumSHA256>\(checksum)</ChecksumSHA256>" }
            text += "</Part>"
        }
        text += "</CompleteMultipartUpload>"
        let answer = try await perform(
            "POST", key, query: [("uploadId", upload)], headers: [("content-type", "application/xml")],
            body: Array(text.utf8))
        // "A request could return 200 OK, and the request could then fail": the body says so.
        if let code = XMLElements.first("Code", in: String(decoding: answer.body, as: UTF8.self)[...]) {
            // What passes must not cost the parts that are there.
            let passes = ["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"].contains(code)
            throw ObjectStorageError(status: passes ? 503 : 400, code: code, "\(key): the upload was not completed")
        }
    }

    /// Nothing, where there is none.
    func abort(_ upload: String, _ key: String) async throws(ObjectStorageError) {
        do throws(ObjectStorageError) {
            _ = try await perform("DELETE", key, query: [("uploadId", upload)])
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    private var hasPartChecksums: Bool { configuration.hasChecksums && configuration.dialect == .s3 }
}
