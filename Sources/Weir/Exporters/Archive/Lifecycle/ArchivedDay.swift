/// What an archive has of a day.
struct ArchivedDay: Sendable {
    /// Of each manifest, those that started on the day by their own clocks.
    private(set) var counts: [SpanOrigin: [ArchivedCount]] = [:]
    /// Files that are not what their manifests say. Their spans are not counted.
    private(set) var damaged: [String] = []
    /// The hashes of all their manifests.
    private(set) var manifests: Set<String> = []

    var spans: [SpanOrigin: Int] { counts.mapValues(\.spans) }

    /// - Parameters:
    ///   - isParquet: whether only the rows are meant, or only OTLP; nil for both.
    ///   - end: only what is kept until then.
    ///   - isVerified: whether every file is read and compared with its hash; else its size has to be enough.
    ///   - keys: of files that are sealed.
    init(
        _ day: Day, of tenant: String? = nil, in root: String, _ keys: ArchiveKeys? = nil, isParquet: Bool? = nil,
        until end: Day? = nil, isVerified: Bool
    ) throws {
        let times = day.times
        let catalog = ArchiveCatalog(
            root: root,
            selection: ArchiveCatalog.Selection(
                tenant: tenant, from: day.start, to: Timestamp(nanoseconds: times.upperBound)))
        try catalog.visit { found in
            guard let (manifest, path, bytes) = found.published,
                isParquet.map({ $0 == (manifest.format == .parquet) }) ?? true,
                end.map({ end in manifest.dates.map { $0.expires >= end } ?? false }) ?? true,
                tenant == nil || manifest.tenant == tenant, let journal = UInt64(manifest.journal, radix: 16),
                manifest.spans.times?.overlaps(times) ?? (manifest.place?.day == day)
            else { return }
            manifests.insert(ArchiveManifest.hash(bytes))
            var damaged: [String] = []
            if case .away = found {
                // Their sizes and hashes in the bucket were looked at when they went from here. What has spans of
                // other days too cannot be counted without its file.
                if manifest.count(on: day) == nil { damaged = [path] }
            } else {
                damaged = manifest.files.filter { !Self.isWhole($0, root, isVerified) }.map(\.path)
            }
            self.damaged += damaged
            guard damaged.isEmpty else { return }
            let origin = SpanOrigin(journal: JournalID(value: journal), tenant: manifest.tenant)
            do {
                let count = try manifest.count(on: day, root, keys)
                counts[origin, default: []].append(
                    ArchivedCount(
                        isParquet: manifest.format == .parquet, records: manifest.spans.runs, spans: count))
            } catch let error as FileError where error.unreadable != nil {
                self.damaged.append(path)
            }
        }
    }

    private static func isWhole(_ file: ArchiveManifest.File, _ root: String, _ isVerified: Bool) -> Bool {
        let path = "\(root)/\(file.path)"
        guard (try? Directory.size(ofFile: path)) == file.bytes else { return false }
        return !isVerified || (try? Digest.sha256(ofFile: path)).map { ArchiveManifest.digits($0) } == file.sha256
    }
}

extension ArchiveManifest {
    /// How many of its spans started on the day by their own clocks; nil where only the file says it.
    func count(on day: Day) -> Int? {
        guard let times = spans.times, !day.times.contains(times.lowerBound) || !day.times.contains(times.upperBound)
        else { return spans.spans }
        return spans.suspects > 0 && place?.day == day ? spans.spans - spans.suspects : nil
    }

    fileprivate func count(on day: Day, _ root: String, _ keys: ArchiveKeys?) throws -> Int {
        if let count = count(on: day) { return count }
        let range = day.times
        guard let path = files.first.map({ "\(root)/\($0.path)" }) else { return 0 }
        var count = 0
        if format == .parquet {
            let reader = try ParquetReader(path, keys)
            for group in reader.groups {
                let starts = try reader.values(of: "start_unix_nano", in: group)
                count += (0..<group.rows).count { row in
                    starts.number(row).map { range.contains(UInt64(bitPattern: $0)) } ?? false
                }
            }
            return count
        }
        guard let reader = ArchiveFileReader(path, keys) else { throw FileError.damaged(path) }
        var batch = Batch(decodedLimit: .max)
        try reader.read(into: &batch) { batch in
            count += batch.spans.count { range.contains($0.startTime) }
        }
        return count
    }
}

extension Day {
    /// In nanoseconds since 1970.
    var times: ClosedRange<UInt64> {
        let (end, isLast) = start.nanoseconds.addingReportingOverflow(Self.nanoseconds - 1)
        return start.nanoseconds...(isLast ? .max : end)
    }
}
