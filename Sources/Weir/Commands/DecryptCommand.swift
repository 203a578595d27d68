import ArgumentParser

/// `weir decrypt`
struct DecryptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt",
        abstract: "Reads OTLP/JSON, a request a line, and prints it with what can be decrypted in clear.",
        discussion: "Who read how many values, under which keys and why, is written into the audit first.")

    @OptionGroup var options: KeysOptions

    @Option(help: ArgumentHelp("Whose spans they are.", valueName: "name"))
    var tenant = "default"

    @Option(help: ArgumentHelp("Attributes that are decrypted; * stands for any text.", valueName: "pattern"))
    var field: [String] = ["*"]

    @Option(help: ArgumentHelp("Why, for the audit.", valueName: "text"))
    var reason: String

    /// Lines that one entry of the audit is about.
    private static let group = 100

    func run() async throws {
        let ring = try options.ring()
        let configuration = options.option.checkAgain().configuration
        let erased = try configuration.map {
            try ErasedKeys(of: tenant, ErasureRegister(reading: $0.service.erasure.directory))
        }
        if let problem = ring.problem { StandardError.note("\(problem)") }
        var lines: [String] = []
        while let line = readLine() {
            if line.isEmpty { continue }
            lines.append(line)
            if lines.count == Self.group { try await decrypt(&lines, ring, erased) }
        }
        try await decrypt(&lines, ring, erased)
    }

    private func decrypt(_ lines: inout [String], _ ring: Keyring, _ erased: ErasedKeys?) async throws {
        guard !lines.isEmpty else { return }
        defer { lines.removeAll() }
        let patterns = field.map { KeyPattern($0) }
        let ids = try lines.reduce(into: Set<UInt64>()) { try $0.formUnion(Self.keyIDs(in: $1, patterns)) }
        let found = await ring.find(ids)
        let keys = erased?.without(found) ?? found
        var output: [UInt8] = []
        var counts = RevealPass.Counts()
        let matchers = erased?.matchers(of: tenant) ?? []
        for line in lines {
            let (text, found) = try Self.revealed(line, patterns, tenant, keys, matchers)
            output += text
            counts.revealed += found.revealed
            counts.unreadable += found.unreadable
        }
        let owners = Set(keys.values.compactMap { try? $0.get().row.tenant }).subtracting([tenant, ""]).sorted()
        if let owner = owners.first, counts.unreadable > 0 {
            let name = owner.quotedForMessage
            StandardError.note("found keys of tenant \(name), wanted --tenant \(name)")
        }
        let names = ids.sorted().prefix(20).map(\.keyID).joined(separator: " ")
        let rest = ids.count > 20 ? " and \(ids.count - 20) more" : ""
        try await KeysOptions.audit(
            ring, "decrypt",
            "\(counts.revealed) values of tenant \(tenant) under \(ids.count) keys (\(names)\(rest)): \(reason)")
        if counts.unreadable > 0 { StandardError.note("\(counts.unreadable.of("value")) cannot be read") }
        try StandardOutput.write(output)
    }

    private static func batch(of line: String, _ batch: inout Batch) throws {
        let payload = Array(line.utf8).withUnsafeBytes { Payload.copying($0) }
        try OTLPJSONDecoder().decode(payload, into: &batch)
    }

    private static func keyIDs(in line: String, _ patterns: [KeyPattern]) throws -> Set<UInt64> {
        var batch = Batch()
        try Self.batch(of: line, &batch)
        return RevealPass(patterns).keyIDs(in: batch)
    }

    private static func revealed(
        _ line: String, _ patterns: [KeyPattern], _ tenant: String, _ keys: [UInt64: Result<DataKey, Unreadable>],
        _ matchers: [SubjectMatcher]
    ) throws -> (text: [UInt8], counts: RevealPass.Counts) {
        var batch = Batch()
        try Self.batch(of: line, &batch)
        batch.tenant = tenant
        let pass = RevealPass(patterns)
        let counts = pass.reveal(&batch, with: keys, without: matchers)
        var encoder = OTLPJSONEncoder()
        return (Array(encoder.bytes(of: batch)) + [0x0A], counts)
    }
}
