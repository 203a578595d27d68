/// What the stage keeps beside the journals: the decisions for spans that come late, a line each.
///
/// `TRACE_ID kept|dropped THRESHOLD MILLISECONDS POLICY`: the threshold as `th` would say it, `-` where none could keep
/// the trace, the time since 1970.
struct TailSamplingFiles {
    static let name = "decisions"
    /// Of a line, about.
    private static let lineBytes = 80

    let decisions: RecentLines
    /// What was called back: `SEQUENCE TRACE_ID` of the ring, a line each.
    let promoted: RecentLines?

    init(_ configuration: TailSamplingConfiguration, _ directory: String) throws(FileError) {
        decisions = try RecentLines(
            Self.name, in: directory,
            maxBytes: (configuration.keptDecisions + configuration.droppedDecisions) * Self.lineBytes)
        guard let recall = configuration.recall else {
            promoted = nil
            return
        }
        promoted = try RecentLines(
            TailSamplingRun.promoted, in: recall.directory, maxBytes: TailSamplingRun.promotedBytes)
    }

    static func line(of decision: RecordOrigin.Decision, at now: Timestamp) -> [UInt8] {
        var line = Array(decision.trace.text.utf8)
        line += decision.isKept ? " kept ".utf8 : " dropped ".utf8
        if decision.threshold == .never { line.append(UInt8(ascii: "-")) } else { decision.threshold.write(to: &line) }
        line += " \(now.nanoseconds / 1_000_000) ".utf8
        // A name is on one line, whatever it is.
        line += decision.rule.utf8.map { $0 < 0x20 ? UInt8(ascii: "?") : $0 }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// - Parameter line: without its line feed.
    /// - Returns: nil where it is something else.
    static func decision(in line: UnsafeRawBufferPointer) -> (decision: RecordOrigin.Decision, time: Timestamp)? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, let trace = TraceID(String(decoding: parts[0], as: UTF8.self)),
            let time = UInt64(String(decoding: parts[3], as: UTF8.self))
        else { return nil }
        let threshold =
            parts[2].elementsEqual([UInt8(ascii: "-")])
            ? .never : SamplingThreshold(text: UnsafeRawBufferPointer(rebasing: parts[2]))
        guard let threshold else { return nil }
        let decision = RecordOrigin.Decision(
            trace: trace, threshold: threshold, isKept: parts[1].elementsEqual("kept".utf8),
            rule: String(decoding: parts[4], as: UTF8.self))
        return (decision, Timestamp(nanoseconds: time &* 1_000_000))
    }
}
