import ArgumentParser

/// `weir archive restore`
struct ArchiveRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Brings a tenant's spans of some hours back into the hot tables, each once.",
        discussion: """
            Past all processors, with journal and sequence as they were; what was erased \
            stays so. May be said again after whatever ended it, and while Weir runs. Exits 1 if files were left out.
            """)

    @OptionGroup var options: ArchiveOptions

    @Option(help: ArgumentHelp("The exporter whose tables they go to, where there are several.", valueName: "id"))
    var into: String?

    @Option(
        help: ArgumentHelp("How long the retention leaves these days alone.", valueName: "duration"),
        transform: DurationOption.read)
    var keep: Duration = .seconds(7 * 86_400)

    func validate() throws {
        guard options.tenant != nil, options.from != nil, options.to != nil else {
            throw ValidationError("wanted --tenant, --from and --to")
        }
    }

    func run() async throws {
        let configuration = try options.option.readToWrite()
        guard let tenant = options.tenant, let from = options.from, let to = options.to else { return }
        let tables = try StoreOptions.place(into, in: configuration, of: options.option.file)
        var register = try ErasureRegister(configuration.service.erasure.directory)
        let now = Timestamp.now()
        // First, so that no housekeeping takes what is being brought.
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.restore, id: ErasureRegister.newID())
            (entry.tenant, entry.actor, entry.from, entry.through) = (tenant, KeysOptions.actor, Day(from), Day(to))
            entry.until = Timestamp(nanoseconds: now.nanoseconds &+ keep.inNanoseconds)
            return entry
        }
        try await Tombstones.awaitTaken(register)
        var outcome = ArchiveRestore.Outcome()
        try await options.withCatalog(auditing: "archive restore") { catalog, copy in
            try await copy?.fetchMessages()
            let cursors = try StoreOptions.cursors(of: into, in: configuration, of: options.option.file)
            outcome = try await ArchiveRestore(
                catalog, tenant: tenant, into: tables, register, cursors: cursors
            ).run(at: now)
        }
        for path in outcome.left {
            StandardError.note(
                "\(path): left out: without an hour, of an older Weir, missing, or without a manifest that can be read")
        }
        for (path, reason) in outcome.unreadable.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): left out: \(reason.rawValue)")
        }
        try StandardOutput.write(
            "\(outcome.files.of("file")): \(outcome.spans.of("span")) restored, \(outcome.present) there already, "
                + "\(outcome.erased) erased\n")
        if outcome.pending > 0 {
            StandardError.note("left out \(outcome.pending.of("span")) on the way to the tables")
        }
        if outcome.away > 0 {
            StandardError.note(
                "left out \(outcome.away.of("file")) that only the bucket has; --directory s3://… says it")
        }
        guard outcome.left.isEmpty, outcome.unreadable.isEmpty, outcome.pending == 0, outcome.away == 0 else {
            throw ExitCode.failure
        }
    }
}
