// Files of a day may be merged, written anew or end while somebody looks into them.
extension ArchiveCatalog {
    /// Looks at a day of which something goes each time.
    private static let maximumLooksIntoDay = 5

    /// Looks into everything in a day, each once. Where files are gone, or not what their manifest says, it is looked
    /// for again, in what has their spans now.
    /// - Parameters:
    ///   - again: has the catalog see what there is by now, where it is a copy.
    ///   - look: nil where files are gone, or not what their manifest says.
    /// - Returns: what there is in the end, without what was superseded meanwhile; with nil for what has lost its
    ///   files, and is still there.
    func looks<Look>(
        into date: Date, again: () async throws -> Void, _ look: (Found) async throws -> Look?
    ) async throws -> [(found: Found, look: Look?)] {
        // By the SHA-256 of the manifest.
        var known: [String: Look] = [:]
        var missed: Set<String> = []
        var number = 1
        while true {
            var looks: [(found: Found, look: Look?)] = []
            var isSteady = true
            for found in try self.found(in: date) {
                guard let hash = found.published.map({ ArchiveManifest.hash($0.bytes) }) else {
                    looks.append((found, try await look(found)))
                    continue
                }
                if known[hash] == nil, let new = try await look(found) { known[hash] = new }
                // Where its manifest is still there at the next look, it is missing.
                if known[hash] == nil, missed.insert(hash).inserted { isSteady = false }
                looks.append((found, known[hash]))
            }
            guard !isSteady, number < Self.maximumLooksIntoDay else { return looks }
            number += 1
            try await again()
        }
    }

    /// Whether an error says that a file is gone, or not what its manifest says.
    static func isGone(_ error: any Error) -> Bool {
        switch error {
        case let error as FileError: error.isMissing
        case let error as ObjectStorageError: error.isMissing || error.isConflict
        default: error is ArchiveReturn.Mismatch
        }
    }
}
