import Logging

/// Journals of pipelines that were renamed, or that are not configured any more. Nobody delivers what is in them.
enum IdleJournals {
    /// Says what waits there.
    /// - Parameter pipelines: those that are configured.
    static func tell(of directory: String, beside pipelines: [ComponentID], _ logger: Logger) {
        let known = Set(pipelines.map(\.fileName))
        let names = (try? Directory.names(in: directory)) ?? []
        for name in names.sorted() where !known.contains(name) {
            tell(of: "\(directory)/\(name)", name, logger)
            tell(of: "\(directory)/\(name)/\(StageCourse.directory)", name, beside: StageCourse.name, logger)
        }
    }

    /// - Parameter other: reads there as well, and not to deliver.
    private static func tell(of path: String, _ name: String, beside other: String? = nil, _ logger: Logger) {
        guard Directory.has("\(path)/\(JournalRecovery.identityName)") else { return }
        let pipeline = name.replacing("~", with: "/")
        do throws(DiskError) {
            let journal = try JournalRecovery(JournalDirectory(reading: path), isReadOnly: true)
            for (exporter, load) in journal.unsettled.sorted(by: { $0.key < $1.key })
            where exporter != other && load.spans > 0 {
                logger.warning(
                    "spans wait for a pipeline that is not configured",
                    metadata: [
                        "pipeline": "\(pipeline)", "exporter": "\(exporter.replacing("~", with: "/"))",
                        "spans": "\(load.spans)",
                    ])
            }
        } catch {
            logger.warning(
                "cannot look into the journal of a pipeline that is not configured",
                metadata: ["pipeline": "\(pipeline)", "error": "\(error)"])
        }
    }
}
