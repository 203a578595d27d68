extension SubjectFinder {
    /// The names in what ``ParquetErasure`` looks at. Its columns of names have nothing else, but for what they cut.
    /// - Parameter body: is given hashes, the same one also more than once.
    func forEachName(
        in rows: [Int], of group: ParquetReader.Group, _ reader: ParquetReader, tenant: String,
        _ body: (UInt64) -> Void
    ) throws {
        for name in ParquetErasure.texts where reader.column(name) != nil {
            guard case .texts(let bytes, let places) = try reader.values(of: name, in: group) else { continue }
            bytes.withUnsafeBytes { bytes in
                forEachName(in: bytes, rows.lazy.compactMap { places[$0] }, tenant: tenant, body)
            }
        }
    }
}
