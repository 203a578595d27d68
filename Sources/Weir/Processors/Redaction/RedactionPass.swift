/// Redacts texts. What one lane keeps from one batch to the next: the scanner, what is known of keys, the tally.
struct RedactionPass: ~Copyable {
    /// JSON texts inside of JSON texts. What is deeper is masked.
    static let maxDepth = 8

    let policy: RedactionPolicy
    var tokens: RedactionToken.Maker
    let labels: [[UInt8]]
    var scanner: TextScanner
    var keys = KeyCache<KeyDecision>()
    /// What stood in the same places of the span before, in the batch.
    var recent = RecordBuffer<RecentAttribute>(capacity: 64, limit: 1 << 20)
    /// The keys of the attributes beside the present one.
    var names = MemberNames()
    var genAI = GenAIAttributes()
    var tally: RedactionTally
    var tenant = "default"
    /// What is looked for in a text that is no attribute.
    let plainText: KeyDecision
    /// In versions, where numbers mean nothing.
    let structuralText: KeyDecision
    /// What a finding in the present attribute asked for.
    var wantsRemoval = false
    /// Something in the value of the present attribute is to be encrypted.
    var encryptsMembers = false
    /// Its paths.
    var membersToEncrypt: [[UInt8]] = []
    /// Paths in the present attribute lead nowhere, since a name becomes another, or are too many.
    var pathsAreLost = false
    /// Keys that were decided about in this batch.
    var decisions = 0
    /// Time left for the patterns of the configuration in this batch.
    var ruleTimeLeft = Duration.zero
    /// The key of the attribute whose value is looked through; empty for a text that is no attribute's.
    // Unsafe: set before each value, in the memory of the batch that it stands in.
    var attributeKey = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The key of the attribute and the names of the members that are open, with dots between.
    var path: [UInt8] = []
    /// The attribute is one of an event that is a message.
    var isOfMessage = false
    /// What stands in the place of earlier findings in the text that is looked through again: in order.
    var placed: [Range<Int>] = []
    /// The texts of a list of parts, as they are to be; nil for one that stays. The one that is met next is the last.
    var parts: [[UInt8]?] = []

    init(_ policy: RedactionPolicy, _ tokens: RedactionToken) {
        self.policy = policy
        self.tokens = tokens.maker()
        labels = Detector.allCases.map { Array("[\($0.label)]".utf8) }
        scanner = TextScanner(policy.detectors, isStrict: policy.isStrict)
        plainText = KeyDecision(detectors: policy.detectors)
        var structural = plainText
        structural.forgetNumbers()
        structuralText = structural
        tally = RedactionTally(policy)
    }

    // MARK: Keys

    /// Whose value is looked through next.
    @inline(__always)
    mutating func begin(_ key: UnsafeRawBufferPointer) {
        attributeKey = key
        if encryptsMembers { membersToEncrypt.removeAll() }
        encryptsMembers = false
        pathsAreLost = false
        if !path.isEmpty { path.removeAll(keepingCapacity: true) }
    }

    private static let maxMembersToEncrypt = 1000
    private static let maxPathToEncrypt = 4096

    /// Wants what stands at the path encrypted.
    mutating func encryptMember() {
        encryptsMembers = true
        guard membersToEncrypt.last != path else { return }
        if membersToEncrypt.count == Self.maxMembersToEncrypt || path.count > Self.maxPathToEncrypt {
            pathsAreLost = true
        } else {
            membersToEncrypt.append(path)
        }
    }

    /// What the key of an attribute says.
    @inline(__always)
    mutating func decision(forKey key: UnsafeRawBufferPointer) -> KeyDecision {
        let salt = isOfMessage ? Self.messageSalt : 0
        if let known = keys.decision(for: key, salt: salt) { return known }
        return decide(KeyDecision.Place(path: key, name: Self.lastPart(of: key), below: nil, isOfMessage), salt)
    }

    /// Bytes in front of a member's name that are read to decide about it. They are read for each of the members there,
    /// so of more, the values are masked.
    private static let maxOuter = 4096

    /// What the name of a member says; it is the last part of ``path``.
    mutating func decision(forMember name: UnsafeRawBufferPointer) -> KeyDecision {
        let whole = path
        return whole.withUnsafeBytes { path in
            let outer = path.dropLast(name.count + 1)
            var (start, below) = (0, attributeKey.count)
            if !policy.looksAtPaths {
                // No more than the part before the name can matter, and there are fewer of those.
                (start, below) = (outer.suffix(Self.maxOuter).lastIndex(of: UInt8(ascii: ".")) ?? 0, 0)
            }
            guard outer.count - start <= Self.maxOuter else {
                tally.note(.keys)
                return KeyDecision.masking
            }
            let key = UnsafeRawBufferPointer(rebasing: path[start...])
            let salt = Self.memberSalt ^ UInt64(name.count) << 32 ^ UInt64(below)
            if let known = keys.decision(for: key, salt: salt) { return known }
            return decide(KeyDecision.Place(path: key, name: name, below: below, false), salt)
        }
    }

    /// Keys that nobody has met before and that are decided about in one batch, at some microseconds each; a long one
    /// counts as several. Values of later ones are masked.
    private static let maxDecisions = 50_000

    private mutating func decide(_ place: KeyDecision.Place, _ salt: UInt64) -> KeyDecision {
        guard decisions < Self.maxDecisions else {
            if decisions == Self.maxDecisions { tally.note(.keys) }
            decisions = .max
            return KeyDecision.masking
        }
        decisions = min(Self.maxDecisions, decisions + 1 + place.path.count / 256)
        var decision = KeyDecision(place, policy, &ruleTimeLeft)
        if place.below == nil, !decision.hasFindings, !policy.rules.isEmpty {
            decision.hasFindings = hasFindings(inKey: place.path)
        }
        // What was decided because time was up holds for this batch only.
        if ruleTimeLeft > .zero || !policy.collector.hasPatterns { keys.keep(decision, for: place.path, salt: salt) }
        return decision
    }

    /// Whether a rule finds something in the key of an attribute, or time is up.
    private mutating func hasFindings(inKey key: UnsafeRawBufferPointer) -> Bool {
        switch findings(in: key, plainText) {
        case .success(let found): !found.isEmpty
        case .failure: true
        }
    }

    private static let memberSalt: UInt64 = 0x5A5A_5A5A_5A5A_5A5A
    private static let messageSalt: UInt64 = 0x3C3C_3C3C_3C3C_3C3C

    static func lastPart(of key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let dot = key.lastIndex(of: UInt8(ascii: ".")) else { return key }
        return UnsafeRawBufferPointer(rebasing: key[(dot + 1)...])
    }

    // MARK: Texts

    /// Whether something can be found in a text of so many bytes. Nothing that is built in is shorter.
    func canHold(_ count: Int) -> Bool { count > 5 || !policy.rules.isEmpty && count > 0 }

    /// - Parameters:
    ///   - text: followed by at least sixteen bytes that can be read.
    ///   - depth: JSON texts that this one stands in.
    /// - Returns: the text as it is to be; nil where it stays.
    mutating func redact(_ text: UnsafeRawBufferPointer, _ key: KeyDecision, depth: Int = 0) -> [UInt8]? {
        guard canHold(text.count) else { return nil }
        guard let first = JSONCursor.start(in: text) else { return plain(text, key) }
        guard depth <= Self.maxDepth else { return mask(Array("[TOO_DEEP]".utf8), because: .depth) }
        return documents(text, from: first, key, depth)
    }

    /// Times that a text is looked through again because something was found in it.
    static let maxRounds = 4

    /// A text that is no JSON. What is taken away may lay bare what it touched, so a text is looked through until
    /// nothing is found.
    mutating func plain(_ text: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        if !placed.isEmpty { placed.removeAll(keepingCapacity: true) }
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
        scan(text, key)
        if scanner.findings.isOverfull { return mask(Self.tooMany, because: .findings) }
        if !policy.rules.isEmpty {
            switch withRules(text) {
            case .failure(let failure): return mask(Self.unchecked, because: failure)
            case .success(let found): return found.withUnsafeBufferPointer { render(text, $0) }
            }
        }
        if scanner.findings.isEmpty { return nil }
        return render(text, UnsafeBufferPointer(start: scanner.findings.base, count: scanner.findings.count))
    }

    static let tooMany = Array("[TOO_MANY]".utf8)
    static let unchecked = Array("[UNCHECKED]".utf8)

    mutating func scan(_ text: UnsafeRawBufferPointer, _ key: KeyDecision) {
        scanner.enabled = key.detectors
        scanner.takesBareNumbers = !key.isStructural
        scanner.scan(text, hints: key.hints, anyAddress: key.takesAnyAddress)
    }

    /// - Returns: the text with what was found replaced; nil where all of it is allowed.
    private mutating func render(
        _ text: UnsafeRawBufferPointer, _ findings: UnsafeBufferPointer<RedactionFinding>
    ) -> [UInt8]? {
        if findings.count == 1, findings[0].start == 0, findings[0].end == text.count, placed.isEmpty {
            let new = replacement(text, findings[0].kind)
            if !policy.rules.isEmpty, let new { placed = [0..<new.count] }
            return policy.isDryRun ? nil : new
        }
        let edits = self.edits(for: findings, in: text)
        guard !edits.isEmpty, !policy.isDryRun else { return nil }
        if let whole = edits.last(where: \.isWhole) { return whole.bytes }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 32)
        var copied = 0
        for edit in edits {
            result += text[copied..<edit.range.lowerBound]
            result += edit.bytes
            copied = edit.range.upperBound
        }
        result += text[copied...]
        return result.elementsEqual(text) ? nil : result
    }

    /// What takes the place of a finding, and whether of the whole text that it stands in.
    struct Edit {
        let range: Range<Int>
        let bytes: [UInt8]
        let isWhole: Bool
    }

    /// What stands in the place of an earlier finding is not found again.
    mutating func edits(
        for findings: UnsafeBufferPointer<RedactionFinding>, in text: UnsafeRawBufferPointer
    ) -> [Edit] {
        var edits: [Edit] = []
        var now: [Range<Int>] = []
        var earlier = placed[...]
        var growth = 0
        for finding in findings {
            while let first = earlier.first, first.upperBound < finding.end {
                if first.upperBound <= finding.start { now.append(first.shifted(by: growth)) }
                earlier.removeFirst()
            }
            if let first = earlier.first, first.lowerBound <= finding.start { continue }
            let range = finding.start..<finding.end
            guard let bytes = replacement(UnsafeRawBufferPointer(rebasing: text[range]), finding.kind) else { continue }
            let action = policy.action(of: finding.kind)
            edits.append(Edit(range: range, bytes: bytes, isWhole: action == .drop || action == .dropValue))
            // Only rules of the configuration can find something in a mask or a token.
            if !policy.rules.isEmpty {
                now.append(range.lowerBound + growth..<range.lowerBound + growth + bytes.count)
            }
            growth += bytes.count - range.count
        }
        let end = edits.last?.range.upperBound ?? 0
        for range in earlier where range.lowerBound >= end { now.append(range.shifted(by: growth)) }
        placed = now
        return edits
    }

    func label(_ kind: UInt8) -> [UInt8] {
        kind < RedactionFinding.firstRule
            ? labels[Int(kind)] : policy.rules[Int(kind - RedactionFinding.firstRule)].mask
    }

    /// What takes the place of a match, which is counted; nil where it stays, since it is allowed or a token already.
    mutating func replacement(_ match: UnsafeRawBufferPointer, _ kind: UInt8) -> [UInt8]? {
        if RedactionToken.isToken(match) { return nil }
        if isAllowed(match) {
            tally.noteAllowed()
            return nil
        }
        let action = policy.action(of: kind)
        tally.note(kind, action)
        if action == .drop { wantsRemoval = true }
        switch action {
        case .mask, .drop, .dropValue:
            if kind >= RedactionFinding.firstRule,
                let digest = policy.rules[Int(kind - RedactionFinding.firstRule)].digest
            {
                return digest.text(of: match)
            }
            return label(kind)
        case .partial:
            let match = NarrowText(match).text
            if kind == Detector.email.rawValue, let at = match.firstIndex(of: UInt8(ascii: "@")) {
                return Array("***".utf8) + match[at...]
            }
            return Array("***".utf8) + match.filter { isDigit($0) || isLetter($0) }.suffix(match.count < 8 ? 0 : 4)
        case .hash:
            let plain = RedactionToken.plain(match, kind)
            return plain.withUnsafeBytes { tokens.token(for: $0, kind: policy.name(of: kind), tenant: tenant) }
        }
    }

    /// What cannot be looked through is masked as a whole.
    mutating func mask(_ label: [UInt8], because failure: RedactionTally.Failure) -> [UInt8]? {
        tally.note(failure)
        return label
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
