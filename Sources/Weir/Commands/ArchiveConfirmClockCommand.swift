import ArgumentParser

/// `weir archive confirm-clock`
struct ArchiveConfirmClockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-clock",
        abstract: "Says that this machine's clock is right, so that files end by rule again.",
        discussion: """
            Where more than \(ExpiryClock.maximumPause) days passed since files of an archive last ended by rule, none \
            does before this: the clock may be ahead. A Weir that runs goes on within a minute.
            """)

    @OptionGroup var options: ArchiveOptions

    func run() throws {
        let catalog = try options.catalog()
        guard try Directory.isThere(catalog.root) else {
            throw CommandFailure("found no archive at \(catalog.root), wanted to be run where Weir runs")
        }
        try ForeignOwner.refuse([catalog.root])
        let clock = ExpiryClock(in: catalog.root)
        let (last, today) = (try clock.last(), Day(.now()))
        try clock.note(today)
        let before = last.map { "on \($0.text)" } ?? "never"
        try StandardOutput.write("\(today.text) is taken for today; files last ended by rule \(before)\n")
    }
}
