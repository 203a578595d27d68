import ArgumentParser

/// `weir keys rotate`
struct KeysRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Wraps every data key with the primary key encryption key; exits 1 if some could not be.")

    @OptionGroup var options: KeysOptions

    func run() async throws {
        _ = try options.option.readToWriteEverywhere()
        let ring = try options.ring()
        let keys = ring.encryptionKeys
        guard let primary = keys.primary else { throw ring.problem ?? .noKeyEncryptionKey("none is configured") }
        var wrapped = 0
        var failed = 0
        // Keys that are made meanwhile may come in front of what was visited.
        for _ in 1...Self.maxVisits {
            let before = wrapped
            failed = try await visit(ring, keys, primary, &wrapped)
            if wrapped == before { break }
        }
        try await KeysOptions.audit(ring, "rotate", "\(wrapped) data keys, to \(primary.id)")
        try StandardOutput.write("\(wrapped) data keys are wrapped with \(primary.id) now, \(failed) could not be\n")
        guard failed == 0 else { throw ExitCode.failure }
    }

    private static let maxVisits = 3

    /// - Returns: how many could not be wrapped.
    private func visit(
        _ ring: Keyring, _ keys: KeyEncryptionKeys, _ primary: KeyEncryptionKeys.Key, _ wrapped: inout Int
    ) async throws -> Int {
        var failed = 0
        var count = 0
        try await KeysOptions.visit(ring) { rows in
            var changed: [DataKeyRow] = []
            for var row in rows where !row.isDestroyed && row.wrappedBy != primary.id {
                guard case .success(let secret) = row.unwrapped(by: keys),
                    let new = KeyWrap.wrap(secret, with: primary.secret)
                else {
                    failed += 1
                    continue
                }
                row.wrapped = new
                row.wrappedBy = primary.id
                changed.append(row)
            }
            guard !changed.isEmpty else { return }
            try await ring.store.run { [changed] database throws(KeyError) in try database.rewrap(changed) }
            count += changed.count
        }
        wrapped += count
        return failed
    }
}
