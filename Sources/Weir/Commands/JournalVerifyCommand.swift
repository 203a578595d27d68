import ArgumentParser

/// `weir journal verify`
struct JournalVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Reads every record of every journal; exits 1 if one is damaged or missing.")

    @OptionGroup var options: JournalOptions

    func run() throws {
        var isWhole = true
        for (pipeline, disk) in try options.journals() {
            let journal = try JournalRecovery(disk, isReadOnly: true, verifies: true)
            let load = journal.segments.reduce(into: Load()) { $0.add($1.load) }
            let problems = JournalStatusCommand.problems(of: journal)
            let whole = "\(load.records.of("record")) in \(journal.segments.count.of("segment"))"
            try StandardOutput.write("\(pipeline): whole: \(whole)\n" + problems.map { "\($0)\n" }.joined())
            // A write that was cut off is what a crash leaves, and nothing that was acknowledged.
            isWhole = isWhole && journal.gaps.isEmpty && journal.damages.isEmpty && journal.unreadable.isEmpty
        }
        guard isWhole else { throw ExitCode.failure }
    }
}
