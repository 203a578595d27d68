import Logging

/// Journals of pipelines that were renamed, are not configured any more, or have a file that is in error. Nobody
/// delivers what is in them.
enum IdleJournals {
    /// Says what waits there.
    /// - Parameters:
    ///   - pipelines: those that run.
    ///   - files: of pipelines, that are in error.
    static func tell(
        of directory: String, beside pipelines: [ComponentID], without files: Set<String> = [], _ logger: Logger
    ) {
        let known = Set(pipelines.map(\.fileName))
        let names = (try? Directory.names(in: directory)) ?? []
        for name in names.sorted() where !known.contains(name) {
            let file = name.lastIndex(of: "@").map { String(name[$0...].dropFirst()) }
            let which = file.map(files.contains) ?? false ? "whose file is in error" : "that is not configured"
            tell(of: "\(directory)/\(name)", name, which, logger)
            tell(of: "\(directory)/\(name)/\(StageCourse.directory)", name, which, beside: StageCourse.name, logger)
        }
    }

    /// - Parameter other: reads there as well, and not to deliver.
    private static func tell(
        of path: String, _ name: String, _ which: String, beside other: String? = nil, _ logger: Logger
    ) {
        guard Directory.has("\(path)/\(JournalRecovery.identityName)") else { return }
        let pipeline = name.replacing("~", with: "/")
        do throws(DiskError) {
            let journal = try JournalRecovery(JournalDirectory(reading: path), isReadOnly: true)
            for (exporter, load) in journal.unsettled.sorted(by: { $0.key < $1.key })
            where exporter != other && load.spans > 0 {
                logger.warning(
                    "spans wait for a pipeline \(which)",
                    metadata: [
                        "pipeline": "\(pipeline)", "exporter": "\(exporter.replacing("~", with: "/"))",
                        "spans": "\(load.spans)",
                    ])
            }
        } catch {
            logger.warning(
                "cannot look into the journal of a pipeline \(which)",
                metadata: ["pipeline": "\(pipeline)", "error": "\(error)"])
        }
    }
}
