/// Whether the archives have what hot tables are about to give up.
struct ArchiveAgreement: Sendable {
    enum Verdict: Equatable, Sendable {
        case agrees
        /// The archive has so many of so many spans of a journal and tenant.
        case lacks(archive: String, found: Int, wanted: Int)
        /// A file is not what its manifest says.
        case damaged(path: String)

        /// One word; nil where the day may go.
        var reason: String? {
            switch self {
            case .agrees: nil
            case .lacks: "archive_lacks"
            case .damaged: "archive_damaged"
            }
        }

        var text: String {
            switch self {
            case .agrees: "agrees"
            case .lacks(let archive, let found, let wanted): "\(archive) has \(found) of \(wanted) spans"
            case .damaged(let path): "\(path) is damaged"
            }
        }
    }

    struct Archive: Hashable {
        let id: String
        let directory: String
    }

    /// Where the journals of a pipeline are, and where their spans go.
    struct Course: Hashable {
        let journals: [String]
        let archives: [Archive]

        func has(_ journal: JournalID) -> Bool {
            journals.contains { (try? JournalRecovery.identity(of: JournalDirectory(reading: $0))) == journal }
        }
    }

    private let tables: HotTables
    private let keys: ArchiveKeys?
    /// Of the pipelines that have the exporter.
    let courses: [Course]

    /// Nil where there is nothing to wait for: the exporter writes no tables, or no archive gets what it gets, or it
    /// is not to wait.
    init?(_ configuration: CollectorConfiguration, exporter: ComponentID) {
        guard let definition = configuration.exporters.first(where: { $0.id == exporter }),
            let tables = HotTables(definition), HotTables.retention(of: definition)?.waits ?? false
        else { return nil }
        self.tables = tables
        keys = ArchiveKeys.make(nil, configuration.extensions)
        courses = configuration.service.pipelines.filter { $0.exporters.contains(exporter) }.map { pipeline in
            let directory = configuration.service.journal.directory(of: pipeline.id)
            let archives = configuration.exporters.filter { pipeline.exporters.contains($0.id) }.compactMap {
                definition in
                (definition.configuration as? ExporterConfiguration<ArchiveExporter>).map {
                    Archive(id: definition.id.description, directory: $0.own.directory)
                }
            }
            return Course(journals: [directory, "\(directory)/\(StageCourse.directory)"], archives: archives)
        }
        guard courses.contains(where: { !$0.archives.isEmpty }) else { return nil }
    }

    /// - Parameter isVerified: whether every file of the day is read.
    func verdict(on day: Day, isVerified: Bool) throws -> Verdict {
        let wanted = try tables.spans(on: day)
        var read: [Archive: ArchivedDay] = [:]
        var removed: [Archive: [SpanOrigin: [ArchivedCount]]] = [:]
        func archived(_ archive: Archive) throws -> ArchivedDay {
            if let known = read[archive] { return known }
            // Its format may have been another when the day was written.
            let found = try ArchivedDay(day, in: archive.directory, keys, isVerified: isVerified)
            read[archive] = found
            return found
        }
        // A hold on others may have kept the day for longer than the archive keeps these.
        func had(_ archive: Archive, besides found: ArchivedDay) throws -> [SpanOrigin: [ArchivedCount]] {
            if let known = removed[archive] { return known }
            let had = try ArchiveRemovals.counts(on: day, in: archive.directory, but: found.manifests)
            removed[archive] = had
            return had
        }
        for (origin, count) in wanted.sorted(by: { ($0.key.tenant, $0.value) < ($1.key.tenant, $1.value) }) {
            let own = courses.filter { $0.has(origin.journal) }
            // Of a journal that nobody has any more, or another machine has, any of the archives may have the spans.
            let candidates = Set((own.isEmpty ? courses : own).flatMap(\.archives)).sorted { $0.id < $1.id }
            var lacking: [Verdict] = []
            for archive in candidates {
                let found = try archived(archive)
                let counts = found.counts[origin, default: []]
                let has = counts.spans
                guard has < count, try (counts + had(archive, besides: found)[origin, default: []]).spans < count
                else { continue }
                lacking.append(
                    found.damaged.first.map { .damaged(path: $0) }
                        ?? .lacks(archive: archive.id, found: has, wanted: count))
            }
            let isEnough = own.isEmpty ? lacking.count < candidates.count : lacking.isEmpty
            if let first = lacking.first, !isEnough { return first }
        }
        return .agrees
    }
}
