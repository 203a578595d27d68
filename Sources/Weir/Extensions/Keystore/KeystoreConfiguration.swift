/// The keys of the extension `keystore`.
struct KeystoreConfiguration: Configurable {
    private enum Store: String, CaseIterable {
        case sqlite
    }

    let source: KeySource
    /// Of the SQLite file.
    let path: String
    let cachedKeys: Int

    init(_ fields: inout Fields) throws(ConfigError) {
        source = fields.section("key_encryption_keys", "What data keys are wrapped with: one of env and file.") {
            Self.source(&$0)
        }
        _ = fields.choice("store", default: Store.sqlite, "Where the data keys are kept.")
        path = fields.string("path", default: "data/keys.db", "The file of the store.")
        cachedKeys = fields.int(
            "cached_keys", default: 65_536, in: 64...1_000_000, "Data keys that are kept in memory, at least.")
    }

    init(_ source: KeySource, path: String) {
        (self.source, self.path, cachedKeys) = (source, path, 64)
    }

    private static func source(_ fields: inout Fields) -> KeySource {
        let variable = fields.optionalString(
            "env", "The variable that has the keys, 32 bytes in base64 each; the first wraps, the others unwrap.")
        let file = fields.optionalString(
            "file", "The file that has them, one a line, readable by its owner only; a changed file is taken.")
        switch (variable, file) {
        case (let variable?, nil): return .environment(variable)
        case (nil, let file?): return .file(file)
        case (nil, nil): fields.reject("", "found no source of keys, wanted env or file")
        case (.some, .some): fields.reject("", "found env and file, wanted one of them")
        }
        return .environment("")
    }

    func makeKeyring() -> Keyring {
        Keyring(source, KeyStore(SQLiteKeyDatabase(path)), limit: cachedKeys)
    }
}
