/// Destroys the data keys of subjects, in the store and in those of its backups that are where they were made.
struct SubjectKeys {
    let ring: Keyring

    struct Destroyed: Sendable {
        var count = 0
        /// Backups that are not where they were made any more, and still have the keys, wrapped.
        var missingBackups: [String] = []
        /// Why they cannot be destroyed in others, which may still have them.
        var failedBackups: [String: KeyError] = [:]
        /// Data keys that were destroyed in each backup that is there.
        var backups: [(path: String, count: Int)] = []
    }

    func destroy(_ selection: KeySelection, at now: Timestamp) async throws -> Destroyed {
        let (ids, backups, index) = try await ring.store.run { database throws(KeyError) in
            (
                try database.destroy(selection, at: now), try database.backups(),
                try database.keys(of: Day(now), limit: 0).filter { $0.keyClass == .index }.map(\.id)
            )
        }
        var destroyed = Destroyed(count: ids.count)
        for path in backups {
            guard Directory.has(path) else {
                destroyed.missingBackups.append(path)
                continue
            }
            do throws(KeyError) {
                destroyed.backups.append((path, try Self.destroy(selection, in: path, of: index, at: now)))
            } catch {
                destroyed.failedBackups[path] = error
            }
        }
        return destroyed
    }

    /// - Parameter index: the ids of the store's index keys, which a backup of it has too.
    private static func destroy(
        _ selection: KeySelection, in path: String, of index: [UInt64], at now: Timestamp
    ) throws(KeyError) -> Int {
        // What is opened for writing is made where it is empty.
        guard let size = try? Directory.size(ofFile: path), size > 0 else { throw .unavailable("\(path) is empty") }
        let backup = SQLiteKeyDatabase(path)
        try backup.open(at: now)
        defer { backup.close() }
        guard try backup.keys(index).count == index.count else {
            throw .unavailable("\(path) is no backup of this store")
        }
        return try backup.destroy(selection, at: now).count
    }
}
