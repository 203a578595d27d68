/// What the stage keeps beside the journals: the decisions for spans that come late, a line each.
///
/// `TRACE_ID TENANT kept|dropped THRESHOLD MILLISECONDS POLICY`: the threshold as `th` would say it, `-` where none
/// could keep the trace, the time since 1970.
enum TailSamplingFiles {
    static let name = "decisions"

    /// - Parameter journal: the directory of the pipeline's.
    static func directory(below journal: String) -> String { "\(journal)/\(StageCourse.name)" }

    /// Of a line, about.
    private static let lineBytes = 90

    static func decisions(
        _ configuration: TailSamplingConfiguration, _ directory: String
    ) throws(FileError) -> RecentLines {
        try RecentLines(
            name, in: directory, maxBytes: (configuration.keptDecisions + configuration.droppedDecisions) * lineBytes)
    }

    /// Without a String for each part: there is one for each trace.
    /// - Parameter tenant: a name without spaces, as all are.
    static func line(of decision: RecordOrigin.Decision, tenant: String, at now: Timestamp) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(lineBytes)
        write(decision.trace.high, to: &line)
        write(decision.trace.low, to: &line)
        line.append(UInt8(ascii: " "))
        line += tenant.utf8
        line += decision.isKept ? Self.kept : Self.dropped
        if decision.threshold == .never { line.append(UInt8(ascii: "-")) } else { decision.threshold.write(to: &line) }
        line.append(UInt8(ascii: " "))
        let milliseconds = now.nanoseconds / 1_000_000
        var scale: UInt64 = 1
        while milliseconds / scale >= 10 { scale *= 10 }
        while scale > 0 {
            line.append(SamplingThreshold.digit(milliseconds / scale % 10))
            scale /= 10
        }
        line.append(UInt8(ascii: " "))
        // A name is on one line, whatever it is.
        for byte in decision.rule.utf8 { line.append(byte < 0x20 ? UInt8(ascii: "?") : byte) }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private static let kept = Array(" kept ".utf8)
    private static let dropped = Array(" dropped ".utf8)

    private static func write(_ half: UInt64, to line: inout [UInt8]) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            line.append(SamplingThreshold.digit(half >> shift & 0xF))
        }
    }

    /// - Parameter line: without its line feed.
    /// - Returns: nil where it is something else.
    static func decision(
        in line: UnsafeRawBufferPointer
    ) -> (decision: RecordOrigin.Decision, tenant: String, time: Timestamp)? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, let trace = TraceID(String(decoding: parts[0], as: UTF8.self)),
            let time = UInt64(String(decoding: parts[4], as: UTF8.self))
        else { return nil }
        let isKept = parts[2].elementsEqual("kept".utf8)
        guard isKept || parts[2].elementsEqual("dropped".utf8) else { return nil }
        let threshold =
            parts[3].elementsEqual([UInt8(ascii: "-")])
            ? .never : SamplingThreshold(text: UnsafeRawBufferPointer(rebasing: parts[3]))
        guard let threshold else { return nil }
        let decision = RecordOrigin.Decision(
            trace: trace, threshold: threshold, isKept: isKept, rule: String(decoding: parts[5], as: UTF8.self))
        return (
            decision, String(decoding: parts[1], as: UTF8.self), Timestamp(nanoseconds: time &* 1_000_000)
        )
    }
}
