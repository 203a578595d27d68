extension ArchiveIndex {
    /// A file of filters: of traces, and behind it of names.
    struct Written {
        let file: ArchiveManifest.File
        let names: ArchiveManifest.Names?
    }

    /// Writes the filters to a new file, synced.
    /// - Parameters:
    ///   - key: that it is sealed with; nil where it is not.
    ///   - finder: that found the names; nil where nobody looked for them.
    func write(_ path: String, _ key: DataKey? = nil, _ finder: SubjectFinder? = nil) throws(FileError) -> Written {
        var bytes = traces.finished.bytes
        var known: ArchiveManifest.Names?
        if let finder {
            known = ArchiveManifest.Names(offset: bytes.count, count: names.count, key: finder.id)
            bytes += names.finished.bytes
        }
        let file = try AppendFile(creating: path, try key?.seal(path))
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
        return Written(
            file: try ArchiveRewritten.File(nil, rows: traces.count, file).named(path), names: known)
    }
}

extension ArchiveManifest {
    /// Where its file of filters tells of names.
    struct Names: Equatable {
        /// Bytes of the filter of traces, which stands before.
        let offset: Int
        let count: Int
        /// Of the register with whose key they are hashed; see ``SubjectHash/keyID``.
        let key: String
    }

    mutating func take(_ filters: ArchiveIndex.Written?) {
        bloom = filters?.file.named(bloomPath)
        names = filters?.names
    }

    /// What tells of most traces and names that the files have no span of them; nil where there is none.
    func filters(in catalog: ArchiveCatalog) throws(FileError) -> (traces: BloomFilter, names: BloomFilter?)? {
        guard let bloom else { return nil }
        let path = "\(catalog.root)/\(bloom.path)"
        guard ArchiveManifest.digits(try Digest.sha256(ofFile: path)) == bloom.sha256 else { throw .damaged(path) }
        var reader = try FileReader(path, opening: catalog.keys)
        let bytes = try reader.next(upTo: 2 * (ArchiveHashes.maximumSize + 64))
        guard let traces = BloomFilter(written: bytes) else { throw .damaged(path) }
        guard let names else { return (traces, nil) }
        guard names.offset <= bytes.count, let filter = BloomFilter(written: Array(bytes[names.offset...])) else {
            throw .damaged(path)
        }
        return (traces, filter)
    }
}

extension ArchiveManifest.Names {
    var tree: JSONTree {
        .fields(["offset": .int(Int64(offset)), "count": .int(Int64(count)), "key": .text(key)])
    }

    init?(_ tree: JSONTree) {
        guard let offset = tree["offset"]?.count, let count = tree["count"]?.count, let key = tree["key"]?.asText else {
            return nil
        }
        self.init(offset: offset, count: count, key: key)
    }
}
