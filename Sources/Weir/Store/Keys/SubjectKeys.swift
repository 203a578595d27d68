/// Destroys the data keys of subjects, in the store and in those of its backups that are where they were made.
struct SubjectKeys {
    let ring: Keyring

    struct Destroyed: Sendable {
        var count = 0
        /// Backups that are not where they were made any more, and still have the keys, wrapped.
        var missingBackups: [String] = []
        /// Data keys that were destroyed in each backup that is there.
        var backups: [(path: String, count: Int)] = []
    }

    func destroy(_ selection: KeySelection, at now: Timestamp) async throws -> Destroyed {
        let (ids, backups) = try await ring.store.run { database throws(KeyError) in
            (try database.destroy(selection, at: now), try database.backups())
        }
        var destroyed = Destroyed(count: ids.count)
        for path in backups {
            guard Directory.has(path) else {
                destroyed.missingBackups.append(path)
                continue
            }
            let backup = SQLiteKeyDatabase(path)
            try backup.open(at: now)
            defer { backup.close() }
            destroyed.backups.append((path, try backup.destroy(selection, at: now).count))
        }
        return destroyed
    }
}
