import ArgumentParser

/// `weir journal status`
struct JournalStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Prints what each journal holds and what each exporter has yet to get.")

    @OptionGroup var options: JournalOptions

    func run() throws {
        for (pipeline, disk) in try options.journals() {
            let text = try Self.text(
                pipeline, JournalRecovery(disk, isReadOnly: true), parked: ParkedSpans.count(below: disk.path),
                now: .now())
            try StandardOutput.write("\(text)\n")
        }
    }

    /// - Parameter parked: spans that are set aside, also for exporters that are not configured any more.
    static func text(
        _ pipeline: String, _ journal: borrowing JournalRecovery, parked: [String: Int] = [:], now: Timestamp
    ) -> String {
        let load = journal.segments.reduce(into: Load()) { $0.add($1.load) }
        var lines = ["\(pipeline): journal \(journal.journal.text)"]
        let records = journal.segments.first.map { "\($0.firstSequence) to \(journal.nextSequence - 1)" } ?? "none"
        lines.append("  records \(records): \(text(load))")
        lines.append("  segments \(journal.segments.count), files \(journal.fileBytes) bytes")
        for (name, cursor) in journal.cursors.sorted(by: { $0.key < $1.key }) {
            let lag = journal.backlog(of: name) ?? Backlog()
            lines.append(
                "  exporter \(name.replacing("~", with: "/")): next \(cursor.next), lag "
                    + "\(text(lag.load)), "
                    + "\((lag.age(at: now) ?? 0) / 1_000_000_000) s")
        }
        for (name, spans) in parked.sorted(by: { $0.key < $1.key }) {
            lines.append("  parked for \(name.replacing("~", with: "/")): \(spans.of("span"))")
        }
        return (lines + problems(of: journal)).joined(separator: "\n")
    }

    private static func text(_ load: Load) -> String {
        "\(load.records.of("record")), \(load.spans.of("span")), \(load.bytes.of("byte"))"
    }

    /// What is wrong with a journal, a line each.
    static func problems(of journal: borrowing JournalRecovery) -> [String] {
        var lines = journal.gaps.map { gap in
            "  \(gap.reason.rawValue): records \(gap.sequences.lowerBound) to \(gap.sequences.upperBound), "
                + "spans \(gap.spans.map { "\($0)" } ?? "unknown")" + (gap.exporter.map { ", exporter \($0)" } ?? "")
        }
        for damage in journal.damages where !damage.bytes.isEmpty {
            lines.append("  damaged: \(damage.name), bytes \(damage.bytes.lowerBound) to \(damage.bytes.upperBound)")
        }
        for (name, size) in journal.unreadable { lines.append("  unreadable: \(name), \(size) bytes") }
        if journal.isTorn { lines.append("  torn: the last write did not end; nobody was told that it had") }
        return lines
    }
}
