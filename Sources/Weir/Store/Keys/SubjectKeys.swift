/// Destroys the data keys of subjects, in the store and in those of its backups that are where they were made.
struct SubjectKeys {
    private let ring: Keyring
    /// That the register of erasures names; see ``ErasureRegister/backups``.
    private let noted: [UInt64: Set<String>]

    init(ring: Keyring, _ noted: [UInt64: Set<String>] = [:]) {
        self.ring = ring
        self.noted = noted
    }

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
                try database.destroy(selection, at: now), try database.backups(), try Self.index(of: database)
            )
        }
        var destroyed = Destroyed(count: ids.count)
        let others = index.reduce(into: Set()) { $0.formUnion(noted[$1] ?? []) }.subtracting(backups)
        for path in backups + others.sorted() {
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

    /// The id of the store's index key, which copies of it have too; none where the store has no key of a person yet.
    static func index(of database: any KeyDatabase) throws(KeyError) -> [UInt64] {
        try database.keys(of: Day(.now()), limit: 0).filter { $0.keyClass == .index }.map(\.id)
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
