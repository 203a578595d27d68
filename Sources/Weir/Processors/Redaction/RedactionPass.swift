/// Redacts texts. What one lane keeps from one batch to the next: the scanner, what is known of keys, the tally.
struct RedactionPass: ~Copyable {
    /// JSON texts inside of JSON texts. What is deeper is masked.
    static let maxDepth = 8

    let policy: RedactionPolicy
    var tokens: RedactionToken.Maker
    let labels: [[UInt8]]
    var scanner: TextScanner
    var keys = KeyCache<KeyDecision>()
    var genAI = GenAIAttributes()
    var tally: RedactionTally
    var tenant = "default"
    /// What is looked for in a text that is no attribute.
    let plainText: KeyDecision
    /// In versions and trace states, where numbers mean nothing.
    let structuralText: KeyDecision
    /// What a finding in the present attribute asked for.
    var wantsRemoval = false
    /// What a key in the present attribute asked for.
    var wantsEncryption = false
    /// Keys that were decided about in this batch.
    var decisions = 0
    /// Time left for the patterns of the configuration in this batch.
    var ruleTimeLeft = Duration.zero

    init(_ policy: RedactionPolicy, _ tokens: RedactionToken) {
        self.policy = policy
        self.tokens = tokens.maker()
        labels = Detector.allCases.map { Array("[\($0.label)]".utf8) }
        scanner = TextScanner(policy.detectors, isStrict: policy.isStrict)
        plainText = KeyDecision(detectors: policy.detectors)
        structuralText = KeyDecision(detectors: policy.detectors.subtracting(KeyNames.numbers))
        tally = RedactionTally(policy)
    }

    // MARK: Keys

    /// What the key of an attribute says.
    @inline(__always)
    mutating func decision(forKey key: UnsafeRawBufferPointer) -> KeyDecision {
        if let known = keys.decision(for: key, salt: 0) { return known }
        return decide(key, name: Self.lastPart(of: key), salt: 0)
    }

    /// What the name of a member says. Rules about keys see the whole path, of which the name is the last part.
    mutating func decision(forMember name: UnsafeRawBufferPointer, path: [UInt8]) -> KeyDecision {
        path.withUnsafeBytes { path in
            let key = policy.keys.isEmpty ? name : path
            if let known = keys.decision(for: key, salt: Self.memberSalt) { return known }
            return decide(key, name: name, salt: Self.memberSalt)
        }
    }

    /// Keys that nobody has met before and that are decided about in one batch, at some microseconds each. Values of
    /// later ones are masked.
    private static let maxDecisions = 50_000

    private mutating func decide(
        _ key: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, salt: UInt64
    ) -> KeyDecision {
        decisions += 1
        guard decisions <= Self.maxDecisions else {
            if decisions == Self.maxDecisions + 1 { tally.note(.keys) }
            return KeyDecision.masking
        }
        let decision = KeyDecision(key, name: name, policy)
        keys.keep(decision, for: key, salt: salt)
        return decision
    }

    private static let memberSalt: UInt64 = 0x5A5A_5A5A

    static func lastPart(of key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let dot = key.lastIndex(of: UInt8(ascii: ".")) else { return key }
        return UnsafeRawBufferPointer(rebasing: key[(dot + 1)...])
    }

    // MARK: Texts

    /// - Parameters:
    ///   - text: followed by at least sixteen bytes that can be read.
    ///   - depth: JSON texts that this one stands in.
    /// - Returns: the text as it is to be; nil where it stays.
    mutating func redact(_ text: UnsafeRawBufferPointer, _ key: KeyDecision, depth: Int = 0) -> [UInt8]? {
        // Nothing that can be found is shorter.
        guard text.count > 5 || !policy.rules.isEmpty else { return nil }
        if text[0] <= 0x7B, Self.looksLikeJSON(text) {
            guard depth <= Self.maxDepth else { return mask(Array("[TOO_DEEP]".utf8), because: .depth) }
            var cursor = JSONCursor(text)
            if document(&cursor, key, depth) { return cursor.edited() }
        }
        return plain(text, key)
    }

    private static func looksLikeJSON(_ text: UnsafeRawBufferPointer) -> Bool {
        for byte in text {
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: continue
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return true
            default: return false
            }
        }
        return false
    }

    /// Times that a text is looked through again because something was found in it.
    private static let maxRounds = 4

    /// A text that is no JSON. What is taken away may lay bare what it touched, so a text is looked through until
    /// nothing is found.
    mutating func plain(_ text: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        guard var result = once(text, key) else { return nil }
        if policy.rules.isEmpty, isWholeFound(text) { return result }
        for _ in 0..<Self.maxRounds {
            let padded = result + [UInt8](repeating: 0, count: 16)
            let next = padded.withUnsafeBytes { once(UnsafeRawBufferPointer(rebasing: $0[..<result.count]), key) }
            guard let next else { break }
            result = next
        }
        return result
    }

    /// Whether what takes the place of a text has nothing left of it: a mask or a token, in which nothing is found.
    private func isWholeFound(_ text: UnsafeRawBufferPointer) -> Bool {
        scanner.findings.count == 1 && scanner.findings[0].start == 0 && scanner.findings[0].end == text.count
            && policy.action(of: scanner.findings[0].kind) != .partial
    }

    private mutating func once(_ text: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        scanner.enabled = key.detectors
        scanner.scan(text, hints: key.hints, anyAddress: key.takesAnyAddress)
        if scanner.findings.isOverfull { return mask(Array("[TOO_MANY]".utf8), because: .findings) }
        if !policy.rules.isEmpty { return withRules(text) }
        if scanner.findings.isEmpty { return nil }
        return render(text, UnsafeBufferPointer(start: scanner.findings.base, count: scanner.findings.count))
    }

    /// - Returns: the text with what was found replaced; nil where all of it is allowed.
    private mutating func render(
        _ text: UnsafeRawBufferPointer, _ findings: UnsafeBufferPointer<RedactionFinding>
    ) -> [UInt8]? {
        var result: [UInt8] = []
        var copied = 0
        var whole: [UInt8]?
        for finding in findings {
            let match = UnsafeRawBufferPointer(rebasing: text[finding.start..<finding.end])
            if policy.isAllowed(match) {
                tally.allowed += 1
                continue
            }
            let action = policy.action(of: finding.kind)
            tally.note(finding.kind, action)
            if action == .drop { wantsRemoval = true }
            if action == .drop || action == .dropValue { whole = label(finding.kind) }
            let replacement = replacement(match, finding.kind, action)
            if match.count == text.count { return policy.isDryRun ? nil : replacement }
            if result.isEmpty { result.reserveCapacity(text.count + 32) }
            result += text[copied..<finding.start]
            result += replacement
            copied = finding.end
        }
        guard copied > 0, !policy.isDryRun else { return nil }
        if let whole { return whole }
        result += text[copied...]
        return result.elementsEqual(text) ? nil : result
    }

    func label(_ kind: UInt8) -> [UInt8] {
        kind < RedactionFinding.firstRule
            ? labels[Int(kind)] : policy.rules[Int(kind - RedactionFinding.firstRule)].mask
    }

    private mutating func replacement(_ match: UnsafeRawBufferPointer, _ kind: UInt8, _ action: RedactionAction)
        -> [UInt8]
    {
        switch action {
        case .mask, .drop, .dropValue:
            if kind >= RedactionFinding.firstRule,
                let digest = policy.rules[Int(kind - RedactionFinding.firstRule)].digest
            {
                return digest.text(of: match)
            }
            return label(kind)
        case .partial:
            if kind == Detector.email.rawValue, let at = match.firstIndex(of: UInt8(ascii: "@")) {
                return Array("***".utf8) + match[at...]
            }
            return Array("***".utf8) + match.filter { isDigit($0) || isLetter($0) }.suffix(match.count < 8 ? 0 : 4)
        case .hash:
            // Written in another way, it is still the same.
            let plain: [UInt8] =
                kind == Detector.email.rawValue
                ? match.map { isLetter($0) ? $0 | 0x20 : $0 }
                : match.compactMap { isDigit($0) || $0 >= 0x80 ? $0 : isLetter($0) ? $0 & 0xDF : nil }
            return plain.withUnsafeBytes { tokens.token(for: $0, kind: policy.name(of: kind), tenant: tenant) }
        }
    }

    /// What cannot be looked through is masked as a whole.
    mutating func mask(_ label: [UInt8], because failure: RedactionTally.Failure) -> [UInt8]? {
        tally.note(failure)
        return label
    }

    // MARK: Rules of the configuration

    private mutating func withRules(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var found = (0..<scanner.findings.count).map { scanner.findings[$0] }
        for (index, rule) in policy.rules.enumerated() where rule.mayStand(in: text) {
            guard text.count <= policy.maxRuleText, ruleTimeLeft > .zero else {
                return mask(Array("[UNCHECKED]".utf8), because: .time)
            }
            let start = ContinuousClock.now
            let ranges = rule.pattern.ranges(in: text, limit: 10_000)
            ruleTimeLeft -= ContinuousClock.now - start
            guard let ranges else { return mask(Array("[UNCHECKED]".utf8), because: .match) }
            for range in ranges where rule.accepts(text, range) && !isDone(text[range], rule) {
                found.append(
                    RedactionFinding(
                        start: range.lowerBound, end: range.upperBound, kind: RedactionFinding.firstRule + UInt8(index))
                )
            }
        }
        if found.isEmpty { return nil }
        // The leftmost, then the longest; what it covers is gone with it, and what only begins in it keeps its rest.
        found.sort { ($0.start, $1.end) < ($1.start, $0.end) }
        var kept: [RedactionFinding] = []
        for var finding in found {
            if let last = kept.last { finding.start = max(finding.start, last.end) }
            if finding.start < finding.end { kept.append(finding) }
        }
        return kept.withUnsafeBufferPointer { render(text, $0) }
    }

    /// Whether a match is what stands in the place of one.
    private func isDone(_ match: Slice<UnsafeRawBufferPointer>, _ rule: RedactionRule) -> Bool {
        match.elementsEqual(rule.mask) || RedactionToken.isToken(UnsafeRawBufferPointer(rebasing: match))
    }
}
