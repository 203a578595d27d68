// What the configuration describes: its patterns, whose time is limited.
extension RedactionPass {
    /// What the scanner found in a text and what the rules find there: in order, without overlaps.
    mutating func withRules(_ text: UnsafeRawBufferPointer) -> Result<[RedactionFinding], RedactionTally.Failure> {
        var found = (0..<scanner.findings.count).map { scanner.findings[$0] }
        let start = ContinuousClock.now
        let deadline = start + ruleTimeLeft
        defer { ruleTimeLeft -= ContinuousClock.now - start }
        for (index, rule) in policy.rules.enumerated() {
            guard let mayStand = rule.mayStand(in: text, until: deadline) else { return .failure(.time) }
            guard mayStand else { continue }
            guard text.count <= policy.maxRuleText, ruleTimeLeft > .zero, ContinuousClock.now < deadline else {
                return .failure(.time)
            }
            guard let ranges = rule.pattern.ranges(in: text, limit: 10_000, until: deadline) else {
                return .failure(.match)
            }
            for range in ranges where rule.accepts(text, range) && !isDone(text[range], rule) {
                found.append(
                    RedactionFinding(
                        start: range.lowerBound, end: range.upperBound, kind: RedactionFinding.firstRule + UInt8(index))
                )
            }
        }
        return .success(Self.inOrder(found))
    }

    /// The leftmost, then the longest; what it covers is gone with it, and what only begins in it keeps its rest.
    static func inOrder(_ found: [RedactionFinding]) -> [RedactionFinding] {
        var kept: [RedactionFinding] = []
        for var finding in found.sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) {
            if let last = kept.last { finding.start = max(finding.start, last.end) }
            if finding.start < finding.end { kept.append(finding) }
        }
        return kept
    }

    /// Whether a match is what stands in the place of one.
    private func isDone(_ match: Slice<UnsafeRawBufferPointer>, _ rule: RedactionRule) -> Bool {
        match.elementsEqual(rule.mask)
    }

    /// Whether a match stays. When time is up, nothing is allowed that only a pattern allows.
    mutating func isAllowed(_ match: UnsafeRawBufferPointer) -> Bool {
        if policy.isAllowed(match) { return true }
        for pattern in policy.allowedPatterns {
            guard ruleTimeLeft > .zero else { return false }
            let start = ContinuousClock.now
            let matches = pattern.matches(match)
            ruleTimeLeft -= ContinuousClock.now - start
            if matches { return true }
        }
        return false
    }
}
