extension ArchiveTraces {
    /// Writes the filter to a new file, synced.
    /// - Parameter key: that it is sealed with; nil where it is not.
    func write(_ path: String, _ key: DataKey? = nil) throws(FileError) -> ArchiveManifest.File {
        let bytes = finished.bytes
        let file = try AppendFile(creating: path, try key?.seal(path))
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
        return try ArchiveRewritten.File(nil, rows: count, file).named(path)
    }
}
