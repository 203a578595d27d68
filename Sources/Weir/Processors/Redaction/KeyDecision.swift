/// What a key says about its value. It is worked out once for each key, and kept.
struct KeyDecision: Sendable, BitwiseCopyable {
    /// Why something becomes of the value, as tokens and `redaction.types` have it.
    enum Reason: String, BitwiseCopyable {
        case key, id, secret, content
        case blocked = "blocked_key_patterns"
        case allowedKeys = "allowed_keys"
    }

    var action = KeyAction.scan
    var reason = Reason.key
    /// What is looked for in the value.
    var detectors: DetectorSet
    /// What the words of the key hint at.
    var hints: DetectorSet = []
    /// Addresses of private networks count as well.
    var takesAnyAddress = false
    /// The value is part of what a model was asked or answered.
    var isContent = false
    /// The key is long enough that something can stand in it, and has what that needs; or an own rule found something.
    var hasFindings = false
    /// A list of parts whose texts follow each other.
    var isParts = false
    /// The text of such a part.
    var isPartText = false
    /// Bare runs of digits mean nothing.
    var isStructural = false

    /// For a key that nobody looked at.
    static var masking: KeyDecision {
        var decision = KeyDecision(detectors: .all)
        decision.action = .mask
        return decision
    }

    init(detectors: DetectorSet) {
        self.detectors = detectors
    }

    /// Where a value stands.
    struct Place {
        /// The key of the attribute, and behind it the names of the members of JSON texts and nested values, each with
        /// a dot before it.
        let path: UnsafeRawBufferPointer
        /// Its last part.
        let name: UnsafeRawBufferPointer
        /// Where in the path the first member's dot stands; nil for the value of an attribute.
        let below: Int?
        /// The attribute is one of an event that is a message.
        let isOfMessage: Bool

        init(path: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, below: Int?, _ isOfMessage: Bool) {
            (self.path, self.name, self.below, self.isOfMessage) = (path, name, below, isOfMessage)
        }

        /// What a rule about keys can name.
        fileprivate func fits(_ pattern: KeyPattern) -> Bool {
            below.map { pattern.matches(path, below: $0) } ?? pattern.matches(path)
        }

        /// What the OpenTelemetry Collector's patterns are about: a key, or the name of a member.
        fileprivate var keys: [UnsafeRawBufferPointer] { below == nil ? [path] : [path, name] }

        fileprivate var outer: UnsafeRawBufferPointer {
            RedactionPass.lastPart(of: UnsafeRawBufferPointer(rebasing: path.dropLast(name.count + 1)))
        }
    }

    /// - Parameter time: what the patterns of the configuration may still take. When it is up, what they might block is
    ///   blocked.
    init(_ place: Place, _ policy: RedactionPolicy, _ time: inout Duration) {
        let name = place.name
        detectors = policy.detectors
        // Words such as "call" say something of what stands right behind them only.
        hints = ContextWords.standard.hints(inKey: name).union(
            ContextWords.standard.hints(inKey: place.outer).subtracting(.phoneLoosely))
        hasFindings = place.path.count > 5 && place.path.contains { isDigit($0) || "@=:-]\u{FF20}".utf8.contains($0) }
        isParts = Self.equals(name, "parts") || Self.equals(name, "content")
        isPartText = Self.equals(name, "text") || Self.equals(name, "content")
        if let rule = policy.keys.first(where: { place.fits($0.pattern) }) {
            action = rule.action
            return
        }
        if apply(policy.collector, place, &time) { return }
        isContent =
            place.below == nil ? ContentKeys.has(place.path, ofMessage: place.isOfMessage) : ContentKeys.has(name)
        if isContent, policy.content != .keep {
            action = policy.content.keyAction
            reason = .content
            return
        }
        guard policy.knowsKeys else { return }
        classify(place)
    }

    private mutating func apply(
        _ collector: RedactionPolicy.CollectorKeys, _ place: Place, _ time: inout Duration
    ) -> Bool {
        for key in place.keys where collector.ignored.contains(where: { $0.matches(key) }) {
            action = .keep
            return true
        }
        for pattern in collector.ignoredPatterns where Self.outcome(of: pattern, place, &time) == .match {
            action = .keep
            return true
        }
        for pattern in collector.blockedPatterns where Self.outcome(of: pattern, place, &time) != .noMatch {
            action = collector.hash == nil ? .mask : .hash
            reason = .blocked
            return true
        }
        return false
    }

    private static func outcome(
        of pattern: RegularExpression, _ place: Place, _ time: inout Duration
    ) -> RegularExpression.Outcome {
        for key in place.keys {
            guard time > .zero else { return .abandoned }
            let start = ContinuousClock.now
            let outcome = pattern.outcome(in: key)
            time -= ContinuousClock.now - start
            if outcome != .noMatch { return outcome }
        }
        return .noMatch
    }

    private mutating func classify(_ place: Place) {
        let (path, name) = (place.path, place.name)
        if KeyNames.isIdentifier(path, name) {
            (action, reason) = (.hash, .id)
        } else if KeyNames.isSecret(name) {
            (action, reason) = (.mask, .secret)
        } else if KeyNames.isClientAddress(path, name) {
            takesAnyAddress = true
        } else if KeyNames.isStructural(place.below == nil ? path : name, name) {
            forgetNumbers()
        }
    }

    /// Of numbers, only those still count whose marks say what they are: a telephone's `+`, the hyphens of an SSN.
    mutating func forgetNumbers() {
        detectors = detectors.subtracting(KeyNames.numbers)
        isStructural = true
    }

    /// Its value is looked at together with those of the parts beside it.
    var isTextOfPart: Bool { isPartText && action == .scan }

    static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && (0..<bytes.count).allSatisfy { bytes[$0] == text.utf8Start[$0] }
    }
}
