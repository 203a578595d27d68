/// Brings what one manifest speaks of to a bucket: its files, and then itself.
struct ArchiveUpload {
    /// Why it will not get there, unless somebody does something.
    enum Failure: Error, CustomStringConvertible {
        /// The bucket has another manifest of that name.
        case conflict(String)
        /// A file here is not what the manifest says. It may be about to be replaced.
        case damaged(String)

        var description: String {
            switch self {
            case .conflict(let path): "\(path): the bucket has another manifest of that name"
            case .damaged(let path): "\(path): is missing, or not what its manifest says"
            }
        }
    }

    let root: String
    let storage: ObjectStorage
    let telemetry: UploadTelemetry
    let manifest: ArchiveManifest
    let bytes: [UInt8]
    /// Of the files; nil leaves it to the bucket.
    let storageClass: String?

    /// Returns when the bucket has everything, and readers of it see it. May be done again, after whatever ended it.
    nonisolated(nonsending) func run() async throws {
        for file in manifest.allFiles {
            // Without its filter a file is as good as with it.
            if file == manifest.bloom, !Directory.has("\(root)/\(file.path)") { continue }
            // What was begun of the file that this is in place of has spans that were erased, and nobody completes it.
            if !manifest.supersedes.isEmpty, file.bytes <= storage.configuration.partSize { try await abandon(file) }
            try await put(file)
        }
        try await putManifest()
    }

    /// Nothing is left of uploads in parts that were not completed.
    nonisolated(nonsending) func abandon(_ file: ArchiveManifest.File) async throws {
        for upload in try await storage.uploads(of: file.path) { try await storage.abort(upload, file.path) }
    }

    // MARK: A file

    private nonisolated(nonsending) func put(_ file: ArchiveManifest.File) async throws {
        if let there = try await storage.head(file.path) {
            if there.size == file.bytes, there.sha256 == file.sha256 { return }
            // What somebody else's manifest speaks of is not replaced.
            try await checkManifest()
        }
        let path = "\(root)/\(file.path)"
        do {
            guard try Directory.size(ofFile: path) == file.bytes else { throw FileError.damaged(path) }
            if file.bytes > storage.configuration.partSize {
                try await putParts(file, path)
            } else {
                try await putWhole(file, path)
            }
        } catch is FileError {
            // Also a disk that cannot read it: all others are to go up meanwhile.
            throw Failure.damaged(file.path)
        }
        guard try await has(file) else {
            throw ObjectStorageError("\(file.path): what the bucket has is not what was uploaded")
        }
        if file != manifest.bloom { telemetry.files.add() }
        telemetry.bytes.add(file.bytes)
    }

    /// What is looked at before the files has to be read at once.
    private func storageClass(of file: ArchiveManifest.File) -> String? {
        file == manifest.bloom ? nil : storageClass
    }

    private func has(_ file: ArchiveManifest.File) async throws(ObjectStorageError) -> Bool {
        guard let object = try await storage.head(file.path) else { return false }
        return object.size == file.bytes && object.sha256 == file.sha256
    }

    private nonisolated(nonsending) func putWhole(_ file: ArchiveManifest.File, _ path: String) async throws {
        let body = try FileReader.piece(of: path, 0..<file.bytes)
        let hash = Digest.sha256(body)
        guard ArchiveManifest.digits(hash) == file.sha256 else { throw Failure.damaged(file.path) }
        try await storage.put(body, at: file.path, sha256: hash, storageClass: storageClass(of: file))
    }

    /// What the store has of an earlier attempt is not sent again.
    private nonisolated(nonsending) func putParts(_ file: ArchiveManifest.File, _ path: String) async throws {
        let upload: String
        var known: [Int: ObjectStorage.Part] = [:]
        let begun = try await storage.uploads(of: file.path)
        // Of a request whose answer was lost, or of a file that this one is in place of.
        for other in begun.dropLast() { try await storage.abort(other, file.path) }
        if let last = begun.last {
            upload = last
            known = try await storage.parts(of: last, file.path)
            telemetry.resumed.add()
        } else {
            upload = try await storage.beginUpload(
                file.path, sha256: file.sha256, storageClass: storageClass(of: file))
        }
        do {
            let parts = try await parts(of: file, path, upload, known)
            try await storage.complete(upload, file.path, parts)
        } catch {
            // One that is over, or cannot be completed, must not be gone on with again.
            let isOver = (error as? ObjectStorageError).map { [400, 404].contains($0.status) && !$0.isRetryable }
            if isOver ?? (error is Failure) { try? await storage.abort(upload, file.path) }
            // It was completed where only the answer was lost.
            guard (error as? ObjectStorageError)?.isMissing ?? false, try await has(file) else { throw error }
        }
    }

    private nonisolated(nonsending) func parts(
        of file: ArchiveManifest.File, _ path: String, _ upload: String, _ known: [Int: ObjectStorage.Part]
    ) async throws -> [ObjectStorage.Part] {
        let smallest = (file.bytes + ObjectStorage.maxParts - 1) / ObjectStorage.maxParts
        let size = max(storage.configuration.partSize, smallest)
        guard let hash = Digest.Running() else { throw FileError.noMemory(path) }
        var parts: [ObjectStorage.Part] = []
        for start in stride(from: 0, to: file.bytes, by: size) {
            try Task.checkCancellation()
            let body = try FileReader.piece(of: path, start..<min(start + size, file.bytes))
            hash.append(body)
            let digest = Digest.sha256(body)
            let number = parts.count + 1
            if let part = known[number], storage.has(part, body, sha256: digest) {
                parts.append(part)
            } else {
                parts.append(try await storage.putPart(number, body, sha256: digest, of: upload, file.path))
            }
        }
        guard ArchiveManifest.digits(hash.finish()) == file.sha256 else { throw Failure.damaged(file.path) }
        return parts
    }

    // MARK: The manifest

    private func isInPlace(of theirs: [UInt8]) -> Bool {
        manifest.supersedes.contains(ArchiveManifest.digits(Digest.sha256(theirs)))
    }

    private func checkManifest() async throws {
        let place = manifest.manifestPath
        guard let theirs = try await storage.get(place, limit: ArchiveDirectory.maximumManifest) else { return }
        guard theirs.bytes == bytes || isInPlace(of: theirs.bytes) else { throw Failure.conflict(place) }
    }

    /// Never in place of another one, but where this says that it is in place of that.
    private func putManifest() async throws {
        let (place, hash) = (manifest.manifestPath, Digest.sha256(bytes))
        let dialect = storage.configuration.dialect
        do throws(ObjectStorageError) {
            return try await storage.put(bytes, at: place, sha256: hash, if: dialect.ifAbsent)
        } catch {
            guard error.isConflict else { throw error }
        }
        // An earlier attempt may have put it there, and its answer was lost.
        guard let theirs = try await storage.get(place, limit: ArchiveDirectory.maximumManifest) else {
            throw ObjectStorageError("\(place): is there, and is not there")
        }
        guard theirs.bytes != bytes else { return }
        guard isInPlace(of: theirs.bytes) else { throw Failure.conflict(place) }
        try await storage.put(bytes, at: place, sha256: hash, if: dialect.ifStill(theirs.object.version))
    }
}
