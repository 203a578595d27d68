import ArgumentParser
import Foundation

/// `weir prices diff`
struct PricesDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Prints what differs between two price lists.",
        discussion: "Exits with 1 where something does. Names are those of `weir.cost.price`.")

    @Argument(help: ArgumentHelp("The list as it was.", valueName: "file")) var old: String
    @Argument(help: ArgumentHelp("The list as it is to be.", valueName: "file")) var new: String

    func run() throws {
        let (before, after) = (try Self.rows(of: old), try Self.rows(of: new))
        var lines: [String] = []
        for id in Set(before.keys).union(after.keys).sorted() {
            guard let was = before[id] else {
                lines.append("+ \(id)")
                continue
            }
            guard let now = after[id] else {
                lines.append("- \(id)")
                continue
            }
            lines += now.differences(from: was).map { "  \(id): \($0)" }
        }
        try StandardOutput.write(lines.map { "\($0)\n" }.joined())
        if !lines.isEmpty { throw ExitCode.failure }
    }

    /// By id: no list has two rows of one.
    private static func rows(of file: String) throws -> [String: ModelPrice] {
        Dictionary(try PricesCommand.list(file).models.map { ($0.id, $0) }) { first, _ in first }
    }
}

extension ModelPrice {
    /// What differs, a line each: rates in USD for a million, and which other parts do.
    fileprivate func differences(from old: ModelPrice) -> [String] {
        var lines: [String] = []
        for unit in UsageUnit.allCases where rates[unit] != old.rates[unit] {
            func text(_ rate: Int64?) -> String { rate.map { Cost.text($0 * 1_000_000) } ?? "none" }
            lines.append("\(unit.rawValue) \(text(old.rates[unit])) -> \(text(rates[unit]))")
        }
        let parts = [
            ("aliases", "\(aliases.sorted())", "\(old.aliases.sorted())"),
            ("until", "\(until.nanoseconds)", "\(old.until.nanoseconds)"),
            ("long_context", longContext.described, old.longContext.described),
            ("service_tiers", serviceTiers.described, old.serviceTiers.described),
            ("regions", regions.described, old.regions.described),
            ("off_peak", offPeak.described, old.offPeak.described),
        ]
        return lines + parts.filter { $0.1 != $0.2 }.map { "\($0.0) differs" }
    }
}

extension Rates {
    fileprivate var described: String { UsageUnit.allCases.map { "\(self[$0] ?? -1)" }.joined(separator: " ") }
}

extension ModelPrice.LongContext? {
    fileprivate var described: String { map { "\($0.from) \($0.rates.described)" } ?? "" }
}

extension ModelPrice.OffPeak? {
    fileprivate var described: String {
        guard let self else { return "" }
        return self.windows.map { "\($0.weekdays.sorted()) \($0.minutes)" }.joined() + self.rates.described
    }
}

extension [String: RateChange] {
    fileprivate var described: String {
        sorted { $0.key < $1.key }.map { name, change in
            let units = change.units.map { "\($0.map(\.rawValue).sorted())" } ?? "all"
            return "\(name) \(change.factor) \(units) \(change.rates.described)"
        }.joined(separator: "\n")
    }
}
