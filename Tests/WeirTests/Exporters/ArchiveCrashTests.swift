import Foundation
import Testing

@testable import Weir

/// Processes that write to one archive, one after the other, each killed at some moment or cut off from power.
@Suite(.hangLimit) struct ArchiveCrashTests {
    @Test(arguments: 0..<4)
    func hasEverySpanOnceWheneverAProcessDies(share: Int) async throws {
        let first = UInt64.random(in: 0 ... .max / 2)
        for seed in first..<first + (Torture.isOn ? 400 : 12) {
            do {
                try await ArchiveCrashes(seed: seed).check()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }
}

/// One archive, the journal in front of it, and chance.
final class ArchiveCrashes {
    private let seed: UInt64
    private var random: SplitMix64
    private let directory: TemporaryDirectory
    private let journal: UInt64
    /// By sequence, from 1; nil for one that is void.
    private var records: [JournalRecord?] = []
    private var spans: UInt64 = 0
    /// Everything up to here is in the cursor's file.
    private var cursor: UInt64 = 0
    /// The last that the exporter called settled.
    private var settled: UInt64 = 0
    /// The files that were published then.
    private var safe: [String] = []
    /// Of sealed files; nil where there are none.
    private let keys: KeyStoreSample?
    /// Its tree is another one, so all processes have it or none.
    private let isParquet: Bool

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        directory = try TemporaryDirectory(in: "/dev/shm")
        journal = random.next()
        keys = random.chance(20) ? try KeyStoreSample() : nil
        isParquet = random.chance(30)
    }

    private var published: [String] { directory.archiveFiles().filter { !$0.hasPrefix(".open/") } }

    func check() async throws {
        for _ in 0..<random.below(6) {
            try await run(isLast: false)
            try crash()
        }
        try await run(isLast: true)
        let ring = keys.flatMap { ArchiveKeys([$0.ring()]) }
        let found =
            isParquet
            ? try ArchiveContents.spanIDs(of: directory, .parquet, ring)
            : try ArchiveReader.spanIDs(in: published, of: directory, ring)
        #expect(found == Array(1...max(spans, 1)).filter { $0 <= spans }, "seed \(seed)")
        #expect(settled == UInt64(records.count), "seed \(seed)")
        try checkNames(published)
        try checkManifests()
    }

    /// Each file has its manifest, and each of those says what the one before it is.
    private func checkManifests() throws {
        let names = directory.files().filter { $0.hasSuffix(".manifest.json") }
        let manifests = try names.map { name in
            let bytes = try directory.contents(of: name)
            let manifest = try #require(bytes.withUnsafeBytes { ArchiveManifest($0) })
            return (manifest, hash: ArchiveManifest.digits(Digest.sha256(bytes)))
        }.sorted { $0.0.number < $1.0.number }
        for (one, next) in zip(manifests, manifests.dropFirst()) {
            #expect(one.0.number < next.0.number, "seed \(seed)")
            if one.0.number + 1 == next.0.number { #expect(next.0.previous == one.hash, "seed \(seed)") }
        }
        let named = manifests.flatMap { $0.0.files.map(\.path) }
        #expect(Set(named).symmetricDifference(published) == [], "seed \(seed)")
    }

    /// A process, up to its end or to the moment of its death.
    private func run(isLast: Bool) async throws {
        let archive = try ArchiveSample(
            "format: \(isParquet ? "parquet" : random.pick(["otlp_proto", "otlp_proto", "otlp_json"]))",
            "compression: \(random.pick(["none", "gzip", "zstd"]))", "max_open_files: \(1 + random.below(5))",
            "max_file_size: \(random.pick(["4KiB", "8KiB", "1MiB"]))",
            "encryption: \(keys != nil && random.chance(70) ? "keystore" : "off")", in: directory, journal: journal,
            extensions: keys?.extensions() ?? Extensions())
        let recovered = UInt64(records.count)
        for _ in 0..<random.below(30) { append() }
        var next = cursor + 1
        // Batches that the exporter was not given yet, or did not take.
        var underWay: [ClosedRange<UInt64>] = []
        func done() -> UInt64 { (underWay.map(\.lowerBound).min() ?? next) - 1 }
        let steps = isLast ? .max : random.below(40)
        for step in 0..<steps {
            if isLast, done() == records.count { break }
            // It dies between the last step and the question.
            if step > 0 { try await settle(archive, through: done()) }
            if step == steps - 1 { safe = published }
            switch random.below(10) {
            case 0: archive.clock.advance(seconds: UInt64(random.below(90)))
            case 1: await archive.exporter.tick(at: archive.clock.now)
            case 2 where random.chance(30): await archive.exporter.settle()
            case 3 where !isLast: append()
            case 4 where !isLast && random.chance(10): try loseFile(of: archive)
            default:
                let rest = records.count - Int(next) + 1
                if rest > 0, underWay.count < random.pick([1, 1, 1, 3]) {
                    let count = UInt64(min(1 + random.below(random.pick([1, 5, 20])), rest))
                    underWay.append(next...next + count - 1)
                    next += count
                }
                guard !underWay.isEmpty else { continue }
                let index = random.below(underWay.count)
                if try await export(underWay[index], to: archive, recovered: recovered) {
                    underWay.remove(at: index)
                }
            }
        }
        guard isLast else { return }
        await archive.exporter.finish()
        try await settle(archive, through: done())
    }

    /// - Returns: whether it took them.
    private func export(
        _ sequences: ClosedRange<UInt64>, to archive: ArchiveSample, recovered: UInt64
    ) async throws -> Bool {
        let batch = FrozenBatch(
            journal: JournalID(value: journal),
            records: records[Int(sequences.lowerBound) - 1..<Int(sequences.upperBound)].compactMap(\.self),
            recoveredThrough: recovered)
        // Something is in the way, now and then.
        let obstacle = random.chance(10) ? try block() : nil
        defer { obstacle.map { try? FileManager.default.removeItem(atPath: $0) } }
        do throws(ExportError) {
            try await archive.exporter.export(batch)
            return true
        } catch {
            guard case .retryable = error else { throw error }
            return false
        }
    }

    private func settle(_ archive: ArchiveSample, through last: UInt64) async throws {
        let now = await archive.exporter.settled(through: last)
        try #require(now <= last, "seed \(seed)")
        settled = max(settled, now)
        // The cursor's file is written now and then.
        if random.chance(30) { cursor = settled }
    }

    /// Somebody tidies up.
    private func loseFile(of archive: ArchiveSample) throws {
        guard let file = archive.open.first else { return }
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
    }

    /// A record with a few spans of one tenant and some hours.
    private func append() {
        guard !random.chance(3) else { return records.append(nil) }
        let isScattered = random.chance(1)
        let hours: UInt64 = isScattered ? 90 : random.pick([1, 1, 2, 4])
        let count = random.below(isScattered ? 100 : 5)
        let starts = (0..<count).map { _ in SampleBatch.fourOClock - random.next() % hours * SampleBatch.hour }
        let ids = (0..<count).map { spans + UInt64($0) + 1 }
        spans += UInt64(count)
        records.append(
            SampleBatch.record(
                Array(zip(ids, starts)).map { (id: $0, start: $1) }, tenant: random.pick(["a", "b", "c"]),
                sequence: UInt64(records.count) + 1, padding: random.pick([0, 0, 0, 600]),
                received: SampleBatch.fourOClock))
    }

    /// Leaves what a power cut may leave: of the files that were published since the exporter last called something
    /// settled, some are not there, or have their old name; what was in `.open` is there, torn, or not.
    private func crash() throws {
        let manager = FileManager.default
        let open = "\(directory.path)/.open/\(JournalID(value: journal).text)"
        let drafts = directory.files().filter { $0.hasSuffix(ArchiveDirectory.manifestSuffix) }
            .map { $0.dropLast(ArchiveDirectory.manifestSuffix.count) + "." }
        for file in directory.files() {
            let path = "\(directory.path)/\(file)"
            // These are synced before anything that they speak of can be seen.
            guard !file.hasSuffix(ArchiveDirectory.manifestSuffix), !file.hasPrefix(".chain/"),
                !file.hasSuffix(ArchiveDirectory.bloomDraft), !file.hasSuffix(ArchiveManifest.bloomSuffix)
            else { continue }
            if file.hasPrefix(".open/") {
                // So are the files that a manifest is about to name.
                if drafts.contains(where: { file.hasPrefix($0) }) { continue }
                // It may be another name of a published file, which is not to be torn.
                guard random.chance(50) else { continue }
                try manager.removeItem(atPath: path)
                if random.chance(50) {
                    try Data(count: random.below(200)).write(to: URL(fileURLWithPath: path))
                }
                continue
            }
            guard !safe.contains(file), !file.hasSuffix(".json"), let name = file.split(separator: "/").last else {
                continue
            }
            // Other tables get their names when that of the spans is safe.
            guard !file.hasPrefix("\(ArchiveDataset.rollups.rawValue)/") else { continue }
            // A manifest comes to be when its file is safe.
            switch random.below(4) {
            case 0: try manager.removeItem(atPath: path)
            case 1: try? manager.linkItem(atPath: path, toPath: "\(open)/\(name).open")
            case 2: try? manager.moveItem(atPath: path, toPath: "\(open)/\(name).open")
            default: break
            }
            guard !Directory.has(path) else { continue }
            let manifest = ArchiveManifest.name(beside: String(name.prefix { $0 != "." }))
            try? manager.removeItem(atPath: "\(path.dropLast(name.count))\(manifest)")
            if isParquet {
                let other = file.replacing("spans/", with: "\(ArchiveDataset.rollups.rawValue)/", maxReplacements: 1)
                try? manager.removeItem(atPath: "\(directory.path)/\(other)")
            }
        }
        settled = cursor
    }

    /// Puts a file where a tenant's directory would be, if there is none yet.
    private func block() throws -> String? {
        let tree = "\(directory.path)/\(isParquet ? "spans/" : "")"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        let path = "\(tree)tenant=\(random.pick(["a", "b", "c"]))"
        guard !FileManager.default.fileExists(atPath: path) else { return nil }
        try Data().write(to: URL(fileURLWithPath: path))
        return path
    }

    /// No two files of a partition say that they have the same record.
    private func checkNames(_ files: [String]) throws {
        var taken: [String: [ClosedRange<UInt64>]] = [:]
        for file in files {
            let parts = file.split(separator: "/")
            let name = try #require(parts.last)
            let sequences = try #require(ArchiveName.sequences(in: String(name), of: JournalID(value: journal)))
            let partition = parts.dropLast().joined(separator: "/")
            #expect(taken[partition, default: []].allSatisfy { !$0.overlaps(sequences) }, "seed \(seed): \(file)")
            taken[partition, default: []].append(sequences)
        }
    }
}
