/// Sends the newest requests of an archive to an exporter, with the journal and the sequence that they had:
/// past all processors, and without what was erased since.
struct ArchiveReplay {
    struct Outcome: Equatable, Sendable {
        var requests = 0
        var sentSpans = 0
        /// That the destination did not take.
        var refusedSpans = 0
        /// That were not tried, or that nobody knows of whether they came, since the destination failed.
        var unsentSpans = 0
        /// Files that may have some of the newest and were left out, and why.
        var left: [String: String] = [:]
        /// Whether there are more of those that were wanted than is held in memory.
        var isShort = false

        var isComplete: Bool { refusedSpans + unsentSpans == 0 && left.isEmpty && !isShort }
    }

    static let maximumSpans = 1_000_000
    /// Bytes of their messages.
    static let maximumSize = 512 << 20

    /// A message of a file.
    private struct Found {
        let journal: JournalID
        let sequence: UInt64
        let tenant: String
        /// By which journals are compared with each other: what a clock ahead says is not newer than its file.
        let time: UInt64
        let spans: Int
        /// OTLP protobuf.
        let payload: [UInt8]
    }

    let catalog: ArchiveCatalog
    var maximumSize = ArchiveReplay.maximumSize

    /// What is in messages.
    private struct Size {
        var spans = 0
        var bytes = 0

        static func + (left: Size, right: Size) -> Size {
            Size(spans: left.spans + right.spans, bytes: left.bytes + right.bytes)
        }
    }

    /// The newest requests that have so many spans together, in the order in which they came to their journals.
    /// - Parameter outcome: gets the files that may have some of them and are left out.
    func newest(
        _ wanted: Int, _ outcome: inout Outcome
    ) throws -> [(journal: JournalID, records: [JournalRecord])] {
        var left: [String: String] = [:]
        defer { outcome.left = left }
        var files: [File] = []
        try catalog.visit { entry in
            switch entry {
            case .broken(let path): left[path] = "found no manifest that can be read"
            case .unlisted(let path): left[path] = "found no manifest beside it"
            case .manifest(let manifest, _, _), .away(let manifest, _, _):
                // Of what was erased nothing is left.
                guard catalog.selection.tenant.map({ $0 == manifest.tenant }) ?? true, manifest.spans.spans > 0 else {
                    return
                }
                let isAway = if case .away = entry { true } else { false }
                files.append(File(manifest: manifest, isAway: isAway))
            }
        }
        let ofOTLP = requests(ofOTLP: files)
        var all: [Found] = []
        for (_, files) in Dictionary(grouping: files, by: \.manifest.journal) {
            var found: [Found] = []
            for file in files.sorted(by: { $0.sequences.upperBound > $1.sequences.upperBound }) {
                // What is older than all that is wanted need not be read.
                if isEnough(Self.size(found), wanted), let oldest = found.map(\.sequence).min(),
                    file.sequences.upperBound < oldest
                {
                    break
                }
                if let problem = problem(of: file) {
                    left[file.manifest.files.first?.path ?? ""] = problem
                    continue
                }
                // Rows have not all that OTLP has.
                let others = file.manifest.format == .parquet ? ofOTLP[Place(file.manifest)] ?? [] : []
                try read(file.manifest, wanted, without: others, into: &found)
            }
            all = newest(all + found, wanted)
        }
        outcome.isShort = Self.size(all).spans < wanted && Self.size(all).bytes >= maximumSize
        return records(of: all)
    }

    /// What a manifest speaks of.
    private struct File {
        let manifest: ArchiveManifest
        /// Only a bucket has what it speaks of.
        let isAway: Bool

        var sequences: ClosedRange<UInt64> { manifest.spans.sequences }
    }

    /// Where files of both formats may have the same requests.
    private struct Place: Hashable {
        let journal: String
        let day: Day?

        init(_ manifest: ArchiveManifest) {
            (journal, day) = (manifest.journal, manifest.place?.day)
        }
    }

    /// Why it cannot be sent; nil where it can.
    private func problem(of file: File) -> String? {
        if file.isAway { return "only a bucket has it" }
        let manifest = file.manifest
        if let problem = catalog.keys.problem(manifest, in: catalog.root) { return problem.rawValue }
        // No destination could tell one request from another.
        let sections = manifest.sections.filter { $0.spans.records > 0 }
        guard manifest.format == .parquet || sections.allSatisfy(\.spans.knowsEverySequence),
            manifest.spans.times != nil, UInt64(manifest.journal, radix: 16) != nil
        else { return "nobody knows which of its requests is which" }
        return nil
    }

    /// The sequences that are sent from OTLP.
    private func requests(ofOTLP files: [File]) -> [Place: Set<UInt64>] {
        var all: [Place: Set<UInt64>] = [:]
        // Only where there are rows of the same too.
        let rows = Set(files.filter { $0.manifest.format == .parquet }.map { Place($0.manifest) })
        for file in files where file.manifest.format != .parquet {
            let place = Place(file.manifest)
            guard rows.contains(place), problem(of: file) == nil else { continue }
            for section in file.manifest.sections where section.spans.spans > 0 {
                all[place, default: []].formUnion(section.spans.everySequence ?? [])
            }
        }
        return all
    }

    private static func size(_ found: [Found]) -> Size {
        Size(spans: found.reduce(0) { $0 + $1.spans }, bytes: found.reduce(0) { $0 + $1.payload.count })
    }

    private func isEnough(_ size: Size, _ wanted: Int) -> Bool { size.spans >= wanted || size.bytes >= maximumSize }

    /// Whole requests: within a journal in the order in which they came, whatever the senders' clocks say.
    private func newest(_ found: [Found], _ wanted: Int) -> [Found] {
        var requests: [(time: UInt64, messages: [Found])] = []
        for messages in Dictionary(grouping: found, by: \.journal).values {
            var time: UInt64 = 0
            for (_, parts) in Dictionary(grouping: messages, by: \.sequence).sorted(by: { $0.key < $1.key }) {
                time = parts.reduce(time) { max($0, $1.time) }
                requests.append((time, parts))
            }
        }
        requests.sort { ($0.time, $0.messages[0].sequence) > ($1.time, $1.messages[0].sequence) }
        var size = Size()
        return requests.prefix { request in
            defer { size = size + Self.size(request.messages) }
            return !isEnough(size, wanted)
        }.flatMap(\.messages)
    }

    /// - Parameter others: sequences that are sent from elsewhere.
    private func read(
        _ manifest: ArchiveManifest, _ wanted: Int, without others: Set<UInt64>, into found: inout [Found]
    ) throws {
        guard let path = manifest.files.first.map({ "\(catalog.root)/\($0.path)" }),
            let journal = UInt64(manifest.journal, radix: 16)
        else { return }
        let created = Timestamp(parsing: manifest.created.prefix(19) + "Z")?.nanoseconds ?? .max
        var held = Self.size(found)
        var batch = Batch(decodedLimit: .max)
        var encoder = OTLPEncoder()
        func take(_ batch: borrowing Batch, _ sequence: UInt64) throws {
            guard let payload = encoder.encode(batch) else { throw FileError.damaged(path) }
            found.append(
                Found(
                    journal: JournalID(value: journal), sequence: sequence, tenant: manifest.tenant,
                    time: min(created, batch.spans.reduce(0) { max($0, $1.startTime) }), spans: batch.spanCount,
                    payload: withExtendedLifetime(payload) { Array($0.bytes) }))
            held = held + Size(spans: batch.spanCount, bytes: payload.count)
            // A file may have many times what is wanted.
            if held.spans > 2 * wanted + batch.spanCount || held.bytes > 2 * maximumSize {
                found = newest(found, wanted)
                held = Self.size(found)
            }
        }
        if manifest.format == .parquet {
            return try ParquetMessages(path, catalog.keys).read(into: &batch) { batch, _, sequence, _ in
                if !others.contains(sequence) { try take(batch, sequence) }
            }
        }
        guard let reader = ArchiveFileReader(path, catalog.keys) else { return }
        let all = manifest.sections.filter { $0.spans.records > 0 }.flatMap { $0.spans.everySequence ?? [] }
        var number = 0
        try reader.read(into: &batch) { batch in
            defer { number += 1 }
            guard number < all.count else { throw FileError.damaged(path) }
            try take(batch, all[number])
        }
        guard number == all.count else { throw FileError.damaged(path) }
    }

    /// A request with spans of several hours is several messages, and one record again: protobuf takes messages that
    /// stand one behind the other for one.
    private func records(of found: [Found]) -> [(journal: JournalID, records: [JournalRecord])] {
        var journals: [(journal: JournalID, records: [JournalRecord])] = []
        for (journal, messages) in Dictionary(grouping: found, by: \.journal).sorted(by: { $0.key.value < $1.key.value }
        ) {
            var records: [JournalRecord] = []
            for (sequence, parts) in Dictionary(grouping: messages, by: \.sequence).sorted(by: { $0.key < $1.key }) {
                guard let first = parts.first else { continue }
                let bytes = parts.flatMap(\.payload)
                records.append(
                    JournalRecord(
                        sequence: sequence, tenant: first.tenant,
                        receivedAt: Timestamp(nanoseconds: parts.reduce(0) { max($0, $1.time) }),
                        spanCount: parts.reduce(0) { $0 + $1.spans },
                        payload: bytes.withUnsafeBytes { Payload.copying($0) }))
            }
            journals.append((journal, records))
        }
        return journals
    }

    /// - Parameter wanted: spans, at least, as far as there are so many.
    func run(_ wanted: Int, to resending: Resending) async throws -> Outcome {
        var outcome = Outcome()
        var isWorking = true
        for (journal, records) in try newest(wanted, &outcome) {
            var rest = records[...]
            while !rest.isEmpty {
                var batch: [JournalRecord] = []
                var spans = 0
                var bytes = 0
                while let next = rest.first,
                    batch.isEmpty
                        || spans + next.spanCount <= resending.delivery.queue.maxSpans
                            && bytes + next.payload.count <= resending.delivery.queue.maxBytes
                {
                    batch.append(next)
                    (spans, bytes) = (spans + next.spanCount, bytes + next.payload.count)
                    rest = rest.dropFirst()
                }
                guard isWorking else {
                    outcome.unsentSpans += spans
                    continue
                }
                var refused = 0
                let (finished, isComplete) = try await resending.send(batch, of: journal) { piece, _ in
                    refused += piece.spanCount
                }
                let isSafe = await resending.settle(finished)
                let sent = isSafe ? finished.reduce(0) { $0 + $1.sentSpans } : 0
                outcome.requests += batch.count
                outcome.sentSpans += sent
                outcome.refusedSpans += refused
                outcome.unsentSpans += max(0, spans - sent - refused)
                isWorking = isComplete && isSafe
            }
        }
        await resending.attempt.exporter.finish()
        return outcome
    }
}
