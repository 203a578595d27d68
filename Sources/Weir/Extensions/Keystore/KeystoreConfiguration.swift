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
    let maxNewKeys: Int

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
            "cached_keys", default: 65_536, in: 64...1_000_000,
            "Data keys that are kept in memory, at least; never fewer than max_new_keys.")
        maxNewKeys = fields.int(
            "max_new_keys", default: 50_000, in: 1_000...1_000_000,
            "New data keys of persons that may wait for the store, half of them one tenant's; what needs more is "
                + "refused with 503 until it has them.")
    }

    init(_ source: KeySource, path: String) {
        (self.source, place, cachedKeys, maxNewKeys) = (source, .sqlite(path: path), 64, 1_000)
    }

    private static func source(_ fields: inout Fields) -> KeySource {
        let variable = fields.parsed(
            "env", default: String?.none,
            "The variable that has the keys, 32 bytes in base64 each; the first wraps, the others unwrap.",
            Self.variable)
        let file = fields.parsed(
            "file", default: String?.none,
            "The file that has them, one a line, readable by its owner only; a changed file is taken.",
            Self.location)
        let command = fields.parsedList(
            "command", count: 0...100,
            "A program with its arguments that prints them, one a line; it is run again every minute.",
            Self.location)
        let given =
            ["env", "file"].filter(fields.keys.contains) + (fields.items("command") ?? 0 > 0 ? ["command"] : [])
        if given.isEmpty { fields.reject("", "found no source of keys, wanted env, file or command") }
        if given.count > 1 { fields.reject("", "found several of env, file and command, wanted one of them") }
        return variable.map { .environment($0) } ?? file.map { .file($0) } ?? .command(command)
    }

    /// Whoever puts the keys themselves where their place is named would read them in every error. None of these shows
    /// what it was given.
    private static func variable(_ text: String) throws(ConfigError) -> String? {
        let isName =
            text.first?.isNumber == false
            && text.utf8.allSatisfy(isWordByte)
        guard isName, !KeyEncryptionKeys.stand(in: text) else {
            throw ConfigError(
                found: "what is no name of a variable", wanted: "one such as WEIR_KEK, not what stands in it")
        }
        return text
    }

    private static func location(_ text: String) throws(ConfigError) -> String {
        guard !KeyEncryptionKeys.stand(in: text) else {
            throw ConfigError(found: "what looks like a key itself", wanted: "the place where it stands")
        }
        return text
    }

    func makeKeyring() -> Keyring {
        // What was made for a request that is refused is there still when it comes again.
        let limit = max(cachedKeys, maxNewKeys)
        switch place {
        case .sqlite(let path):
            return Keyring(
                source, KeyStore(SQLiteKeyDatabase(path)), limit: limit, maxNewKeys: maxNewKeys)
        case .postgres(let connection, let schema):
            let interrupt = Interrupt()
            let database = PostgresKeyDatabase(connection, schema: schema, interrupt: interrupt)
            return Keyring(
                source, KeyStore(database, interrupt: interrupt), limit: limit, maxNewKeys: maxNewKeys)
        }
    }
}
