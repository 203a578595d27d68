/// The thread on which the database of data keys is asked.
actor KeyStore {
    private let executor = BlockingExecutor(label: "weir.keys")
    private let database: any KeyDatabase
    private let interrupt: Interrupt?

    /// - Parameters:
    ///   - database: is this actor's alone from now on.
    ///   - interrupt: ends what the database waits for, where it waits for others.
    init(_ database: sending any KeyDatabase, interrupt: Interrupt? = nil) {
        self.database = database
        self.interrupt = interrupt
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func run<Value: Sendable>(
        _ body: @Sendable (any KeyDatabase) throws(KeyError) -> Value
    ) throws(KeyError) -> Value {
        try database.open(at: .now())
        return try body(database)
    }

    /// Key encryption keys, which may come from a command that takes its time.
    func read(_ source: KeySource) -> Result<KeyEncryptionKeys, KeyError> {
        Result { () throws(KeyError) in try source.read() }
    }

    /// A call from a thread that may wait for disks: see ``BlockingExecutor/wait(_:)``.
    nonisolated func wait<Value: Sendable>(
        _ body: @Sendable (isolated KeyStore) throws(KeyError) -> Value
    ) throws(KeyError) -> Value {
        let result = executor.wait {
            assumeIsolated { store in Result { () throws(KeyError) in try body(store) } }
        }
        return try result.get()
    }

    /// Called once, when nobody asks any more.
    nonisolated func finish() async {
        interrupt?.raise()
        await close()
    }

    private func close() { database.close() }

    /// Keeps those of the keys that are not kept yet, and whatever else waits: one transaction for all.
    /// - Parameter others: gives them.
    func keep(_ keys: [DataKey], and others: @Sendable () -> [DataKey]) throws(KeyError) {
        guard keys.contains(where: { !$0.isInStore }) else { return }
        let waiting = others()
        try database.open(at: .now())
        try database.insert(waiting.map(\.row))
        for key in waiting { key.isDurable.store(true, ordering: .releasing) }
    }
}
