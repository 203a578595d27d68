/// What is in an archive, found by walking through it.
struct ArchiveCatalog {
    /// What is asked for.
    struct Selection {
        var tenant: String?
        /// Partitions whose hour ends after this.
        var from: Timestamp?
        /// Partitions whose hour begins before this.
        var to: Timestamp?
    }

    enum Found {
        /// Its path from the archive's directory on, and its bytes.
        case manifest(ArchiveManifest, path: String, bytes: [UInt8])
        /// A manifest that says nothing.
        case broken(path: String)
        /// A file that no manifest stands beside.
        case unlisted(path: String)
    }

    let root: String
    let selection: Selection

    /// Calls `body` with everything in the partitions that are asked for, those and the files of one in the order of
    /// their names.
    func visit(_ body: (Found) throws -> Void) throws {
        let trees = [""] + ArchiveDataset.allCases.map { "\($0.rawValue)/" }
        for tree in trees {
            for tenant in try names(in: tree) where tenant.hasPrefix("tenant=") && isWanted(tenant: tenant) {
                for date in try names(in: "\(tree)\(tenant)/") where date.hasPrefix("date=") {
                    for hour in try names(in: "\(tree)\(tenant)/\(date)/") where isWanted(date: date, hour: hour) {
                        try visit("\(tree)\(tenant)/\(date)/\(hour)", of: tree, body)
                    }
                }
            }
        }
    }

    private func visit(_ partition: String, of tree: String, _ body: (Found) throws -> Void) throws {
        let names = try names(in: "\(partition)/")
        let manifests = Set(names.filter { $0.hasPrefix("_") })
        for name in names {
            let path = "\(partition)/\(name)"
            if name.hasPrefix("_"), name.hasSuffix(".manifest.json") {
                let bytes = try FileReader.contents(of: "\(root)/\(path)", limit: ArchiveDirectory.maximumManifest)
                if let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }) {
                    try body(.manifest(manifest, path: path, bytes: bytes))
                } else {
                    try body(.broken(path: path))
                }
            } else if !isListed(name, partition, of: tree, manifests) {
                try body(.unlisted(path: path))
            }
        }
    }

    /// The manifests of all datasets stand beside the spans.
    private func isListed(_ name: String, _ partition: String, of tree: String, _ manifests: Set<String>) -> Bool {
        let manifest = ArchiveManifest.name(beside: String(name.prefix { $0 != "." }))
        if manifests.contains(manifest) { return true }
        let spans = ArchiveDataset.spans.rawValue
        // It may have come since the directory was read.
        return Directory.has("\(root)/\(partition)/\(manifest)")
            || !tree.isEmpty && Directory.has("\(root)/\(spans)/\(partition.dropFirst(tree.count))/\(manifest)")
    }

    /// None, where there is no such directory.
    private func names(in path: String) throws(FileError) -> [String] {
        do throws(FileError) {
            return try Directory.names(in: "\(root)/\(path)").sorted()
        } catch {
            // A directory that is gone was one of an archive that is being cleared.
            guard error.isMissing, !path.isEmpty else { throw error }
            return []
        }
    }

    private func isWanted(tenant directory: String) -> Bool {
        selection.tenant.map { directory == "tenant=\(ArchivePartition.directoryName(of: $0))" } ?? true
    }

    /// What has no hour may be of any.
    private func isWanted(date: String, hour: String) -> Bool {
        guard hour.hasPrefix("hour=") else { return false }
        guard selection.from != nil || selection.to != nil else { return true }
        let digits = date.dropFirst("date=".count).filter { $0 != "-" }
        guard let day = Day(compact: digits), let hour = Int(hour.dropFirst("hour=".count)), (0..<24).contains(hour)
        else { return true }
        // In hours: the last one that a span can start in has no end that 64 bits of nanoseconds could say.
        let place = day.number * 24 + hour
        let first = selection.from.map { ArchivePartition.hour(of: $0.nanoseconds) } ?? place
        let last = selection.to.map { $0.nanoseconds > 0 ? ArchivePartition.hour(of: $0.nanoseconds - 1) : -1 } ?? place
        return first <= place && place <= last
    }
}
