/// Destroys the data keys of subjects, in the store and in those of its backups that are where they were made.
struct SubjectKeys {
    /// Others want to keep new keys, and SQLite has them look again every 100 ms.
    private static let pause = Duration.milliseconds(200)

    private let ring: Keyring
    /// That the register of erasures names; see ``ErasureRegister/backups``.
    private let noted: [UInt64: Set<String>]
    private let piece: Int

    /// - Parameter piece: keys that are destroyed in one transaction.
    init(ring: Keyring, _ noted: [UInt64: Set<String>] = [:], piece: Int = 5_000) {
        self.ring = ring
        self.noted = noted
        self.piece = piece
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

    /// Whoever is interrupted has destroyed some, and says it again.
    func destroy(_ selection: KeySelection, at now: Timestamp) async throws -> Destroyed {
        var destroyed = Destroyed()
        let start = ContinuousClock.now
        // In the order of the table, so that a piece changes few of its pages.
        let ids = try await ring.store.run { database throws(KeyError) in try database.ids(selection).sorted() }
        for first in stride(from: 0, to: ids.count, by: piece) {
            if first > 0 { try await Task.sleep(for: Self.pause) }
            let some = Array(ids[first..<min(first + piece, ids.count)])
            // A Weir that runs asks for what was destroyed lately.
            let now = now.adding(ContinuousClock.now - start)
            destroyed.count += try await ring.store.run { database throws(KeyError) in
                try database.destroy(some, at: now).count
            }
        }
        // Asked for behind that: a copy that is made meanwhile may have them.
        let (backups, index) = try await ring.store.run { database throws(KeyError) in
            try database.wipe()
            return (try database.backups(), try Self.index(of: database))
        }
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
