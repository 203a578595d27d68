extension SubjectFinder {
    /// The names in what ``ParquetErasure`` looks at.
    /// - Parameter body: is given hashes, the same one also more than once.
    func forEachName(
        in rows: [Int], of group: ParquetReader.Group, _ reader: ParquetReader, tenant: String,
        _ body: (UInt64) -> Void
    ) throws {
        let columns = SubjectFamily.all.map { ($0.column, Optional($0)) } + ParquetErasure.texts.map { ($0, nil) }
        for case (let name?, let family) in columns where reader.column(name) != nil {
            guard case .texts(let bytes, let places) = try reader.values(of: name, in: group) else { continue }
            bytes.withUnsafeBytes { bytes in
                forEachName(in: bytes, rows.lazy.compactMap { places[$0] }, of: family, tenant: tenant, body)
            }
        }
    }
}
