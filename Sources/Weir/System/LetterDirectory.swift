/// The dead letters and the parked records of one exporter of one pipeline, on disk. `docs/delivery.md` has the format.
///
///     dead_letters/EXPORTER/letters.jsonl
///     parked/EXPORTER/000001.jsonl          a file a tenant
actor LetterDirectory: LetterStore {
    struct Limits: Sendable {
        /// Bytes of the dead letters.
        let deadLetters: Int
        /// Bytes of all parked records.
        let parked: Int

        /// Whether a tenant that has `used` bytes may have `added` more: half of all are one tenant's, so that it
        /// leaves room for the others. A record has to fit, however large it is, so the first may be more.
        static func hasRoom(for added: Int, besides used: Int, limit: Int) -> Bool {
            used == 0 || used + added <= limit / 2
        }
    }

    nonisolated let parkedAtStart: [String: Int]
    private let executor: BlockingExecutor
    private var deadLetters: DeadLetterFile
    private let parkedPath: String
    private let limits: Limits
    private let codec: (any RecordCodec)?
    private var tenants: [String: LetterQueue] = [:]
    private var lastNumber = 0

    /// Creates what is missing, and reads what is there.
    ///
    /// - Parameter pipeline: the directory that belongs to the pipeline.
    init(
        _ pipeline: String, exporter: ComponentID, limits: Limits, codec: (any RecordCodec)? = nil
    ) throws(FileError) {
        self.limits = limits
        self.codec = codec
        executor = BlockingExecutor(label: "weir.letters.\(exporter)")
        deadLetters = try DeadLetterFile(pipeline, exporter: exporter)
        parkedPath = "\(pipeline)/parked/\(exporter.fileName)"
        try Directory.create(parkedPath)
        var parkedAtStart: [String: Int] = [:]
        for name in try Directory.names(in: parkedPath).sorted() {
            guard name.hasSuffix(".jsonl"), let number = Int(name.dropLast(6)) else { continue }
            lastNumber = max(lastNumber, number)
            let queue = try LetterQueue(LineFile(name, in: parkedPath))
            guard queue.count > 0 else { continue }
            // A file that does not say whose it is has only lines that cannot be read. The first look at it moves them.
            let tenant = queue.tenant ?? name
            tenants[tenant] = queue
            parkedAtStart[tenant] = queue.spans
        }
        self.parkedAtStart = parkedAtStart
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func bury(_ letters: [Letter]) async throws(LetterError) {
        let letters = try await letters.sealed(by: codec)
        let outcome = try translated { () throws(FileError) in
            try deadLetters.append(letters, limit: limits.deadLetters)
        }
        let limit = "\(ByteCount(limits.deadLetters)): dead_letters.max_bytes"
        switch outcome {
        case .taken: return
        case .full: throw LetterError("\(deadLetters.directory) has its \(limit)")
        case .fullForTenant:
            throw LetterError("\(deadLetters.directory) has of one tenant half of its \(limit)", isLimit: true)
        }
    }

    func park(_ letters: [Letter], of tenant: String) async throws(LetterError) {
        let letters = try await letters.sealed(by: codec)
        let used = tenants.values.reduce(0) { $0 + $1.used }
        let own = tenants[tenant]?.used ?? 0
        let limit = limits.parked
        let isTaken = try translated { () throws(FileError) in
            try changeQueue(of: tenant) { queue throws(FileError) in
                try queue.append(letters) { added in
                    used + added <= limit && Limits.hasRoom(for: added, besides: own, limit: limit)
                }
            }
        }
        guard isTaken else {
            throw LetterError(
                "\(parkedPath) has its \(ByteCount(limit)), or half of it of one tenant: parked.max_bytes",
                isLimit: true)
        }
    }

    func parked(of tenant: String, maxSpans: Int, maxBytes: Int) async throws(LetterError) -> [KeptRecord] {
        let deadLetters = deadLetters
        let records = try translated { () throws(FileError) in
            try changeQueue(of: tenant) { queue throws(FileError) in
                try queue.peek(maxSpans: maxSpans, maxBytes: maxBytes) { line throws(FileError) in
                    try deadLetters.append(line)
                }
            }
        }
        return try await records.opened(by: codec)
    }

    func forget(_ count: Int, of tenant: String) async throws(LetterError) {
        try translated { () throws(FileError) in
            try changeQueue(of: tenant) { queue throws(FileError) in try queue.forget(count) }
        }
    }

    private func changeQueue<Value>(
        of tenant: String, _ change: (inout LetterQueue) throws(FileError) -> Value
    ) throws(FileError) -> Value {
        var queue: LetterQueue
        if let found = tenants[tenant] {
            queue = found
        } else {
            lastNumber += 1
            queue = try LetterQueue(LineFile("\(lastNumber.digits(6)).jsonl", in: parkedPath))
        }
        defer { tenants[tenant] = queue.count > 0 ? queue : nil }
        return try change(&queue)
    }

    private func translated<Value>(_ work: () throws(FileError) -> Value) throws(LetterError) -> Value {
        do {
            return try work()
        } catch {
            throw LetterError(error.description)
        }
    }
}
