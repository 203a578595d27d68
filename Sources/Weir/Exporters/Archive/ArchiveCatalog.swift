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
        /// The same of files that only a bucket has.
        case away(ArchiveManifest, path: String, bytes: [UInt8])
        /// A manifest that says nothing.
        case broken(path: String)
        /// A file that no manifest stands beside.
        case unlisted(path: String)

        /// Wherever its files are.
        var published: (manifest: ArchiveManifest, path: String, bytes: [UInt8])? {
            switch self {
            case .manifest(let manifest, let path, let bytes), .away(let manifest, let path, let bytes):
                (manifest, path, bytes)
            case .broken, .unlisted: nil
            }
        }
    }

    /// A tenant's directory for a day.
    struct Date {
        /// With a slash, or empty.
        let tree: String
        /// From the archive's directory on.
        let path: String
        /// Nil for spans without one.
        let day: Day?
    }

    let root: String
    let selection: Selection
    /// Of files that are sealed.
    var keys: ArchiveKeys?

    /// Calls `body` with everything in the partitions that are asked for, those and the files of one in the order of
    /// their names. What was superseded is left out, so no span is found twice; and what supersedes is looked for last
    /// and published first, so none is missed while files are merged.
    func visit(_ body: (Found) throws -> Void) throws {
        try dates { date in
            for found in try self.found(in: date) { try body(found) }
        }
    }

    func dates(_ body: (Date) throws -> Void) throws {
        let trees = [""] + ArchiveDataset.allCases.map { "\($0.rawValue)/" }
        for tree in trees {
            for tenant in try names(in: tree) where tenant.hasPrefix("tenant=") && isWanted(tenant: tenant) {
                for date in try names(in: "\(tree)\(tenant)/") where date.hasPrefix("date=") {
                    let day = Day(text: String(date.dropFirst("date=".count)))
                    guard isWanted(day) else { continue }
                    try body(Date(tree: tree, path: "\(tree)\(tenant)/\(date)", day: day))
                }
            }
        }
    }

    func found(in date: Date) throws -> [Found] {
        let merged = ArchivePartition.merged
        var found: [Found] = []
        for hour in try names(in: "\(date.path)/") where hour != merged && isWanted(date.day, hour: hour) {
            found += try visit("\(date.path)/\(hour)", of: date.tree)
        }
        // It may not have been there when the names were read.
        found += try visit("\(date.path)/\(merged)", of: date.tree)
        var superseded: Set<String> = []
        for (manifest, _, _) in found.compactMap(\.published) where !manifest.parts.isEmpty {
            superseded.formUnion(manifest.supersedes)
        }
        return found.filter { found in
            guard let (manifest, _, bytes) = found.published else { return true }
            return isWanted(manifest, of: date.day)
                && (superseded.isEmpty || !superseded.contains(ArchiveManifest.hash(bytes)))
        }
    }

    /// Names that may go while a partition is looked into. What goes for ever points to nothing.
    private static let maximumLooks = 100

    /// What is in a partition. A manifest that went since the names were read was merged into one that may not be among
    /// them, or has its other name: its files went to the bucket, or came back.
    private func visit(_ partition: String, of tree: String) throws -> [Found] {
        var found: [Found] = []
        for _ in 0..<Self.maximumLooks {
            found = []
            if try visit(partition, of: tree, { found.append($0) }) { break }
        }
        return found
    }

    /// - Returns: whether all manifests were still there.
    private func visit(_ partition: String, of tree: String, _ body: (Found) -> Void) throws -> Bool {
        var isWhole = true
        let names = try names(in: "\(partition)/")
        let manifests = Set(names.filter { $0.hasPrefix("_") })
        for name in names {
            let path = "\(partition)/\(name)"
            let isAway = name.hasSuffix(ArchiveManifest.uploadedSuffix)
            if name.hasPrefix("_"), isAway || name.hasSuffix(".manifest.json") {
                let bytes: [UInt8]
                do throws(FileError) {
                    bytes = try FileReader.contents(of: "\(root)/\(path)", limit: ArchiveDirectory.maximumManifest)
                } catch {
                    // There is nothing wrong with it where the process has no memory, or no file left to open.
                    guard !error.isShortage else { throw error }
                    // It was removed since the directory was read, or cannot be read.
                    if error.isMissing { isWhole = false } else { body(.broken(path: path)) }
                    continue
                }
                if let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }) {
                    body(
                        isAway
                            ? .away(manifest, path: path, bytes: bytes) : .manifest(manifest, path: path, bytes: bytes))
                } else {
                    body(.broken(path: path))
                }
            } else if !name.hasSuffix(ArchiveManifest.bloomSuffix), !isListed(name, partition, of: tree, manifests) {
                // No span is in the filter that stands beside a manifest.
                body(.unlisted(path: path))
            }
        }
        return isWhole
    }

    /// The manifests of all datasets stand beside the spans.
    private func isListed(_ name: String, _ partition: String, of tree: String, _ manifests: Set<String>) -> Bool {
        let manifest = ArchiveManifest.name(beside: String(name.prefix { $0 != "." }))
        // The other name, where the file is about to be removed here.
        let own = [manifest, ArchiveManifest.uploadedName(of: manifest)]
        if own.contains(where: manifests.contains) { return true }
        let spans = ArchiveDataset.spans.rawValue
        // It may have come since the directory was read, and the file may have gone.
        return own.contains { Directory.has("\(root)/\(partition)/\($0)") }
            || !tree.isEmpty
                && own.contains { Directory.has("\(root)/\(spans)/\(partition.dropFirst(tree.count))/\($0)") }
            || !Directory.has("\(root)/\(partition)/\(name)")
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

    func isWanted(tenant directory: String) -> Bool {
        selection.tenant.map { directory == "tenant=\(ArchivePartition.directoryName(of: $0))" } ?? true
    }

    /// What has no day may be of any.
    func isWanted(_ day: Day?) -> Bool {
        guard let day else { return true }
        return isWanted(hours: day.number * 24...day.number * 24 + 23)
    }

    func isWanted(_ day: Day?, hour: String) -> Bool {
        guard hour.hasPrefix("hour=") else { return false }
        guard let day, let hour = Int(hour.dropFirst("hour=".count)), (0..<24).contains(hour) else { return true }
        return isWanted(day, hour)
    }

    /// Of a file that has several hours, whether one of them is asked for.
    private func isWanted(_ manifest: ArchiveManifest, of day: Day?) -> Bool {
        guard let day, !manifest.parts.isEmpty else { return true }
        return manifest.parts.contains { isWanted(day, $0.hour) }
    }

    /// The first hour of a day has the day's late spans too.
    private func isWanted(_ day: Day, _ hour: Int) -> Bool {
        hour == 0 ? isWanted(day) : isWanted(hours: day.number * 24 + hour...day.number * 24 + hour)
    }

    /// Whether a span is asked for that stands on a day; what says another one stands at the edge of it.
    func isWanted(start: UInt64, on day: Day?) -> Bool {
        let time = day.map { min(max(start, $0.times.lowerBound), $0.times.upperBound) } ?? start
        let hour = ArchivePartition.hour(of: time)
        return isWanted(hours: hour...hour)
    }

    private func isWanted(hours: ClosedRange<Int>) -> Bool {
        // In hours: the last one that a span can start in has no end that 64 bits of nanoseconds could say.
        if let from = selection.from, ArchivePartition.hour(of: from.nanoseconds) > hours.upperBound { return false }
        guard let to = selection.to else { return true }
        return to.nanoseconds > 0 && ArchivePartition.hour(of: to.nanoseconds - 1) >= hours.lowerBound
    }
}
