/// The keys of the extension `keystore`.
struct KeystoreConfiguration: Configurable {
    private enum Store: String, CaseIterable {
        case sqlite, postgres

        /// The keys that are for it alone.
        var keys: [String] { self == .sqlite ? ["path"] : ["connection", "schema"] }
    }

    /// Where data keys are kept.
    enum Place: Sendable, Equatable {
        case sqlite(path: String)
        /// - Parameter connection: may hold a password.
        case postgres(connection: String, schema: String)
    }

    let source: KeySource
    let place: Place
    let cachedKeys: Int

    /// The file of the data keys, where that is what has them.
    var path: String? {
        if case .sqlite(let path) = place { path } else { nil }
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        source = fields.section(
            "key_encryption_keys", "What data keys are wrapped with: one of env, file and command."
        ) { Self.source(&$0) }
        let store = fields.choice("store", default: Store.sqlite, "Where the data keys are kept.")
        let path = fields.string("path", default: "data/keys.db", "(sqlite) The file of the data keys.")
        let (connection, schema) = fields.postgres(schema: "weir_keys")
        place = store == .sqlite ? .sqlite(path: path) : .postgres(connection: connection, schema: schema)
        for other in Store.allCases where other != store {
            for key in other.keys where fields.keys.contains(key) {
                fields.reject(key, "found it with store \(store.rawValue), wanted store \(other.rawValue)")
            }
        }
        cachedKeys = fields.int(
            "cached_keys", default: 65_536, in: 64...1_000_000, "Data keys that are kept in memory, at least.")
    }

    init(_ source: KeySource, path: String) {
        (self.source, place, cachedKeys) = (source, .sqlite(path: path), 64)
    }

    private static func source(_ fields: inout Fields) -> KeySource {
        let variable = fields.optionalString(
            "env", "The variable that has the keys, 32 bytes in base64 each; the first wraps, the others unwrap.")
        let file = fields.optionalString(
            "file", "The file that has them, one a line, readable by its owner only; a changed file is taken.")
        let command = fields.strings(
            "command", default: [], count: 0...100,
            "A program with its arguments that prints them, one a line; it is run again every minute.")
        switch (variable, file, command) {
        case (let variable?, nil, []): return .environment(variable)
        case (nil, let file?, []): return .file(file)
        case (nil, nil, let command) where !command.isEmpty: return .command(command)
        case (nil, nil, _): fields.reject("", "found no source of keys, wanted env, file or command")
        default: fields.reject("", "found several of env, file and command, wanted one of them")
        }
        return .environment("")
    }

    func makeKeyring() -> Keyring {
        switch place {
        case .sqlite(let path): return Keyring(source, KeyStore(SQLiteKeyDatabase(path)), limit: cachedKeys)
        case .postgres(let connection, let schema):
            let interrupt = Interrupt()
            let database = PostgresKeyDatabase(connection, schema: schema, interrupt: interrupt)
            return Keyring(source, KeyStore(database, interrupt: interrupt), limit: cachedKeys)
        }
    }
}
