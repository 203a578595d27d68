/// Chooses which files of a day are merged. Only decides.
struct CompactionPlan {
    /// A file of a day, with what stands beside it.
    struct Entry {
        let manifest: ArchiveManifest
        /// Of the manifest.
        let hash: String
        /// Bytes of the manifest.
        let length: Int
        /// Of rows that can stand in a file together; empty where all can.
        let columns: String

        /// Bytes.
        var size: Int { manifest.files.reduce(0) { $0 + $1.bytes } }

        /// What it becomes within a merged file.
        var parts: [ArchivePart] {
            guard manifest.parts.isEmpty else { return manifest.parts }
            let hour = manifest.place?.hour ?? 0
            return [
                ArchivePart(
                    number: manifest.number, previous: manifest.previous, sha256: hash, hour: hour,
                    spans: manifest.spans)
            ]
        }

        fileprivate var order: (hour: Int, sequence: UInt64) {
            (parts.first?.hour ?? 0, parts.first?.spans.sequences.lowerBound ?? 0)
        }
    }

    private struct Kind: Hashable {
        let tenant: String
        let journal: String
        let format: ArchiveFormat
        let compression: Compression
        let columns: String
        let isSealed: Bool
    }

    /// Bytes of a file that is aimed at. One of half as many is large enough to stay, and none becomes larger than one
    /// and a half times as many, but where it compresses worse than before.
    let target: Int
    /// Bytes of the manifests of files that are merged: so that the new one can be read.
    var maxManifests = ArchiveDirectory.maximumManifest * 3 / 4

    /// A group without the largest that only a bucket has, as long as that is many times all others: else what comes
    /// late, a little at a time, would have a day's file brought again each time.
    /// - Parameter away: the hashes of those that only the bucket has.
    static func worthwhile(_ group: [Entry], away: Set<String>) -> [Entry] {
        var group = group
        while let largest = group.filter({ away.contains($0.hash) }).max(by: { $0.size < $1.size }),
            largest.size / 4 > group.reduce(-largest.size, { $0 + $1.size })
        {
            group.removeAll { $0.hash == largest.hash }
        }
        return group
    }

    /// Files that become one, each group in the order in which they are to stand in it.
    func groups(_ entries: [Entry]) -> [[Entry]] {
        var kinds: [Kind: [Entry]] = [:]
        for entry in entries where entry.size < target / 2 {
            let manifest = entry.manifest
            let kind = Kind(
                tenant: manifest.tenant, journal: manifest.journal, format: manifest.format,
                compression: manifest.compression, columns: entry.columns, isSealed: manifest.keyID != nil)
            kinds[kind, default: []].append(entry)
        }
        var groups: [[Entry]] = []
        for entries in kinds.values {
            var group: [Entry] = []
            for entry in entries.sorted(by: { $0.order < $1.order }) {
                let size = group.reduce(0) { $0 + $1.size }
                let length = group.reduce(entry.length) { $0 + $1.length }
                if size >= target || length > maxManifests {
                    groups.append(group)
                    group = []
                }
                group.append(entry)
            }
            groups.append(group)
        }
        return groups.filter { $0.count > 1 }.sorted { $0[0].manifest.number < $1[0].manifest.number }
    }
}
