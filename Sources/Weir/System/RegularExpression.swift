import CLibraries
import Synchronization

/// A compiled regular expression in PCRE2's syntax over UTF-8, to be shared by all lanes.
///
/// It reads as the OpenTelemetry Collector's do where the two syntaxes meet: `\d` and `\w` are ASCII, `$` is the very
/// end, `(?P<name>…)` works. Bytes that are not UTF-8 match nothing, and what stands around them still matches.
///
/// Neither a pattern nor a subject can run away: work is bounded by ``stepBudget`` and 4 MiB of memory, and that of
/// many matches together by a ``MatchBudget``. A match that reaches a bound is no match, and is counted in
/// ``abandoned``.
// Sendable: pcre2api, "Multithreading": "The data in the compiled pattern is fixed, and does not change when the
// pattern is matched. Therefore, it is thread-safe". The just-in-time code is made in `init` and runs on the stack
// of the thread that matches, as it does unless it is given another. What a match does write, its match data and
// context, is created for each match. The counter is atomic.
final class RegularExpression: @unchecked Sendable {
    /// Steps that one match may take, over all places where it can begin: some 12 ms of just-in-time code, 120 ms
    /// of the interpreter that stands in where memory must not be executable.
    static let stepBudget = 10_000_000
    /// Steps of a match that nobody has to account for: a few microseconds, and enough for nearly all.
    static let freeSteps = 1_000

    /// Bytes of a pattern.
    static let maxPattern = 16_384

    enum Outcome: Equatable, Sendable {
        case match, noMatch
        /// A bound was reached before it was known.
        case abandoned
    }

    private let code: OpaquePointer
    private let names: [(name: String, number: Int)]
    /// Whether a match can only begin at the subject's first byte.
    private let isAnchored: Bool
    private let abandonedMatches = Atomic<Int>(0)

    init(_ pattern: String) throws(RegularExpressionError) {
        code = try Self.compile(pattern)
        names = Self.names(of: code)
        isAnchored = Self.number(PCRE2_INFO_ALLOPTIONS, of: code) & PCRE2_ANCHORED != 0
    }

    deinit {
        pcre2_code_free_8(code)
    }

    /// The names of the groups that have one.
    var groupNames: [String] { names.map(\.name) }

    /// Matches so far that reached a bound.
    var abandoned: Int { abandonedMatches.load(ordering: .relaxed) }

    func matches(_ subject: UnsafeRawBufferPointer) -> Bool {
        outcome(in: subject) == .match
    }

    func outcome(in subject: UnsafeRawBufferPointer) -> Outcome {
        match(subject) { _ in }
    }

    /// Likewise, as long as the spans of a request have a budget left for what is not done in a few steps.
    func matches(_ subject: UnsafeRawBufferPointer, within budget: inout MatchBudget) -> Bool {
        match(subject, within: &budget) { _ in } == .match
    }

    /// Where it matches, each match from behind the one before; at most `limit`. Matches of no bytes are left out.
    /// - Returns: nil where a bound was reached, the limit or the deadline.
    func ranges(
        in subject: UnsafeRawBufferPointer, limit: Int, until deadline: ContinuousClock.Instant? = nil
    ) -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        var start = 0
        while start <= subject.count {
            var found = 0..<0
            switch match(subject, from: start, found: { found = $0[0]..<max($0[0], $0[1]) }) {
            case .noMatch: return ranges
            case .abandoned: return nil
            case .match:
                if !found.isEmpty { ranges.append(found) }
                guard ranges.count <= limit else { return nil }
                if let deadline, ContinuousClock.now > deadline { return nil }
                start = max(found.upperBound, start + (found.isEmpty ? 1 : 0))
                // PCRE2 wants to begin at a character.
                while start < subject.count, subject[start] & 0xC0 == 0x80 { start += 1 }
            }
        }
        return ranges
    }

    /// The named groups of the first match, by name, and the bytes they hold. A group that took no part is left out;
    /// without a match there are none.
    func groups(
        in subject: UnsafeRawBufferPointer, within budget: inout MatchBudget
    ) -> [(name: String, range: Range<Int>)] {
        var groups: [(name: String, range: Range<Int>)] = []
        _ = match(subject, within: &budget) { offsets in
            for (name, number) in names {
                let start = offsets[2 * number]
                let end = offsets[2 * number + 1]
                // PCRE2_UNSET is all ones, so -1 here: the group took no part.
                guard start >= 0, start <= end else { continue }
                groups.append((name, start..<end))
            }
        }
        return groups
    }
}

/// A pattern that does not compile.
struct RegularExpressionError: Error, Equatable, CustomStringConvertible {
    /// Where in the pattern, in bytes of UTF-8.
    let offset: Int
    let message: String

    var description: String { "\(message) at offset \(offset)" }
}

// MARK: - Matching

extension RegularExpression {
    /// Tries it with more steps each time: PCRE2 does not say how many a match took.
    private func match(
        _ subject: UnsafeRawBufferPointer, within budget: inout MatchBudget, found: (UnsafePointer<Int>) -> Void
    ) -> Outcome {
        // One at each start is no more work than reading the text.
        var steps = max(Self.freeSteps, subject.count + 1)
        while true {
            let outcome = match(subject, steps: steps, found: found)
            guard outcome == .abandoned else { return outcome }
            guard steps < Self.stepBudget else { break }
            steps = min(steps * 10, Self.stepBudget)
            guard budget.take(steps) else { break }
        }
        budget.noteAbandoned()
        return abandon()
    }

    private func match(
        _ subject: UnsafeRawBufferPointer, from first: Int = 0, found: (UnsafePointer<Int>) -> Void
    ) -> Outcome {
        let outcome = match(subject, from: first, steps: Self.stepBudget, found: found)
        return outcome == .abandoned ? abandon() : outcome
    }

    /// Runs `found` with the offsets of the groups, in pairs of start and end by number, if there is a match.
    private func match(
        _ subject: UnsafeRawBufferPointer, from first: Int = 0, steps: Int, found: (UnsafePointer<Int>) -> Void
    ) -> Outcome {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil),
            let context = pcre2_match_context_create_8(nil)
        else { return .abandoned }
        defer {
            pcre2_match_data_free_8(data)
            pcre2_match_context_free_8(context)
        }
        // PCRE2 counts its steps anew at each byte where a match can begin, so the budget is divided among those.
        let starts = isAnchored ? 1 : subject.count - first + 1
        pcre2_set_match_limit_8(context, UInt32(max(1, steps / starts)))
        pcre2_set_heap_limit_8(context, 4_096)

        var result = run(subject, first, options: 0, data, context)
        // The just-in-time code has 32 KiB of stack for going back; the interpreter takes over with its heap.
        if result == PCRE2_ERROR_JIT_STACKLIMIT { result = run(subject, first, options: PCRE2_NO_JIT, data, context) }
        if result == PCRE2_ERROR_NOMATCH { return .noMatch }
        guard result >= 0, let offsets = pcre2_get_ovector_pointer_8(data) else { return .abandoned }
        found(offsets)
        return .match
    }

    private func run(
        _ subject: UnsafeRawBufferPointer, _ first: Int, options: UInt32, _ data: OpaquePointer,
        _ context: OpaquePointer
    ) -> Int32 {
        // Without bytes there may be no address, and PCRE2 wants one.
        let nothing: StaticString = ""
        let start = subject.assumingMemoryBound(to: UInt8.self).baseAddress ?? nothing.utf8Start
        return pcre2_match_8(code, start, subject.count, first, options, data, context)
    }

    private func abandon() -> Outcome {
        abandonedMatches.add(1, ordering: .relaxed)
        return .abandoned
    }
}

// MARK: - Compiling

extension RegularExpression {
    /// `\C` could cut a character in two, and `$` before a last newline surprises whoever knows Go's syntax.
    private static let options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY

    private static func compile(_ pattern: String) throws(RegularExpressionError) -> OpaquePointer {
        guard pattern.utf8.count <= maxPattern else {
            throw RegularExpressionError(
                offset: maxPattern, message: "the pattern is longer than \(maxPattern) bytes")
        }
        var error: Int32 = 0
        var offset = 0
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &error, &offset, nil) else {
            throw RegularExpressionError(offset: offset, message: message(error))
        }
        // Where memory must not be executable this fails, and the interpreter does the work.
        _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        return code
    }

    private static func message(_ error: Int32) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { text in
            let length = pcre2_get_error_message_8(error, text.baseAddress, text.count)
            return length < 0 ? "error \(error)" : String(decoding: text.prefix(Int(length)), as: UTF8.self)
        }
    }

    private static func number(_ what: Int32, of code: OpaquePointer) -> UInt32 {
        var value: UInt32 = 0
        pcre2_pattern_info_8(code, UInt32(what), &value)
        return value
    }

    /// Reads the table of names: entries of equal size, each the group's number in two bytes, high byte first, and the
    /// name with a zero behind it.
    private static func names(of code: OpaquePointer) -> [(name: String, number: Int)] {
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        let size = Int(number(PCRE2_INFO_NAMEENTRYSIZE, of: code))
        return (0..<Int(number(PCRE2_INFO_NAMECOUNT, of: code))).map { index in
            let entry = table + index * size
            return (String(cString: entry + 2), Int(entry[0]) << 8 | Int(entry[1]))
        }
    }
}
