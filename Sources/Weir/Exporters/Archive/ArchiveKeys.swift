/// Has the data keys that files of an archive are sealed with, one a tenant and day.
struct ArchiveKeys: FileKeys {
    /// What the name of a sealed file ends in: no other reader can read it.
    static let suffix = ".sealed"

    /// The first is what new files are sealed with. Files from before may have keys of the others.
    let rings: [Keyring]
    /// Written before a file is opened; nil where nobody is shown what is in it.
    private(set) var audit: SealedFileAudit?

    /// - Returns: nil where there are none.
    init?(_ rings: [Keyring]) {
        guard !rings.isEmpty else { return nil }
        self.rings = rings
    }

    /// The keystores of a collector.
    /// - Parameter first: that new files are sealed with; nil where they are not.
    static func make(_ first: ComponentID?, _ extensions: Extensions) throws(ConfigError) -> ArchiveKeys? {
        let own: KeystoreExtension? = if let first { try extensions.find(first) } else { nil }
        let all = extensions.all.compactMap { ($0 as? KeystoreExtension)?.ring }
        return ArchiveKeys([own?.ring].compactMap(\.self) + all.filter { $0 !== own?.ring })
    }

    /// Those of a configuration, beside a Weir that may run.
    static func make(_ first: ComponentID?, _ definitions: [ComponentDefinition]) -> ArchiveKeys? {
        let found = definitions.compactMap { definition in
            (definition.configuration as? KeystoreConfiguration).map { (definition.id, $0) }
        }
        let sorted = found.filter { $0.0 == first } + found.filter { $0.0 != first }
        return ArchiveKeys(sorted.map { $0.1.makeKeyring() })
    }

    /// The same for one who reads what was sealed: no file is opened that is not in the audit of the keystore which has
    /// its key.
    func audited(_ action: String, by actor: String) -> ArchiveKeys {
        var keys = self
        keys.audit = SealedFileAudit(action: action, actor: actor)
        return keys
    }

    /// The key for new files of a tenant, kept in the store.
    /// - Parameter path: that is to be written, for the error.
    func key(for tenant: String, _ path: String) throws(FileError) -> DataKey {
        do throws(KeyError) {
            return try rings[0].durableKey(for: tenant, .archive, .xaes256gcm, at: .now())
        } catch {
            throw .unsealable(path, error)
        }
    }

    func secret(_ id: UInt64, of path: String) -> Result<SecretKey, Unreadable> {
        found(id).flatMap { key, ring in
            guard Self.isAt(path, key.row) else { return .failure(.notAuthentic) }
            return audit?.note(path, in: ring.store) ?? true ? .success(key.secret) : .failure(.unavailable)
        }
    }

    fileprivate func found(_ id: UInt64) -> Result<(key: DataKey, ring: Keyring), Unreadable> {
        var reason = Unreadable.unknownKey
        for ring in rings {
            switch ring.found(id) {
            case .success(let key): return .success((key, ring))
            case .failure(.unknownKey): continue
            case .failure(let other): reason = other
            }
        }
        return .failure(reason)
    }

    /// A file that stands among those of another tenant was put there.
    private static func isAt(_ path: String, _ row: DataKeyRow) -> Bool {
        guard row.keyClass == .archive else { return false }
        let names = path.split(separator: "/").filter { $0.hasPrefix("tenant=") }
        return names.last.map { $0 == "tenant=\(ArchivePartition.directoryName(of: row.tenant))" } ?? true
    }
}

extension DataKey {
    /// What a new file is sealed with.
    func seal(_ path: String) throws(FileError) -> FileSeal {
        guard let seal = FileSeal(id, secret) else { throw .noMemory(path) }
        return seal
    }
}

extension ArchiveKeys? {
    /// Why files of a manifest cannot be read; nil where they can.
    func problem(_ manifest: ArchiveManifest, in root: String) -> Unreadable? {
        guard let id = manifest.keyID, let file = manifest.files.first else { return nil }
        guard let self else { return .unavailable }
        if case .failure(let reason) = self.secret(id, of: "\(root)/\(file.path)") { return reason }
        return nil
    }

    /// What a file is sealed with that is written anew from others: the newest of their keys, so that it is destroyed
    /// with the last of their days. Nil where none of them is sealed.
    func key(of manifests: [ArchiveManifest], _ path: String) throws(FileError) -> DataKey? {
        var newest: DataKey?
        for id in Set(manifests.compactMap(\.keyID)) {
            guard let self else { throw .unreadable(path, .unavailable, key: id) }
            switch self.found(id) {
            case .success((let key, _)): if newest.map({ $0.row.day < key.row.day }) ?? true { newest = key }
            case .failure(let reason): throw .unreadable(path, reason, key: id)
            }
        }
        return newest
    }
}
