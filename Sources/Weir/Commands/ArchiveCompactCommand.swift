import ArgumentParser

/// `weir archive compact`
struct ArchiveCompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Merges the files of days that are over, as a running Weir does every hour.",
        discussion: """
            May be used while Weir runs, and said again after whatever ended it. Exits 1 where a file is not what its \
            manifest says.
            """)

    @OptionGroup var options: ArchiveOptions

    func run() async throws {
        let configuration = try options.option.readToWrite()
        let archive = try options.archive(in: configuration)
        let catalog = try options.catalog()
        try ForeignOwner.refuse([catalog.root])
        // Before anything is made: it may be the wrong directory that this is run in.
        guard try Directory.isThere(catalog.root) else {
            throw CommandFailure("found no archive at \(catalog.root), wanted the directory of one")
        }
        let register = try ErasureRegister(configuration.service.erasure.directory)
        var failed: Set<String> = []
        let bucket = BucketCompaction(catalog, archive, register)
        let fetched: Result<ArchiveCompaction.Outcome?, ObjectStorageError>
        do {
            fetched = .success(try await bucket?.run(at: .now(), &failed))
        } catch let error as ObjectStorageError {
            // What is here does not wait for it.
            fetched = .failure(error)
        }
        var outcome = try ArchiveCompaction(catalog, archive.compaction, register, archive.lifecycle).run(at: .now())
        if case .success(let fetched?) = fetched { outcome.add(fetched) }
        try StandardOutput.write(
            "\(outcome.merged.of("file")) merged into \(outcome.made), with \(outcome.spans.of("span")); "
                + "\(outcome.erased.of("span")) erased\n")
        if outcome.fetched > 0 {
            try StandardOutput.write("\(outcome.fetched.of("file")) brought from the bucket\n")
        }
        if outcome.held > 0 { try StandardOutput.write("\(outcome.held.of("day")) under a hold\n") }
        for path in outcome.damaged { StandardError.note("\(path): is not what its manifest says") }
        for (path, reason) in outcome.unreadable.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): is not merged: \(reason.rawValue)")
        }
        for (path, reason) in outcome.unfetched.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): is not merged: \(reason)")
        }
        if outcome.isBusy { StandardError.note("another process changes files of the archive") }
        if case .failure(let error) = fetched { throw error }
        guard outcome.damaged.isEmpty, outcome.unfetched.isEmpty, !outcome.isBusy else { throw ExitCode.failure }
    }
}
