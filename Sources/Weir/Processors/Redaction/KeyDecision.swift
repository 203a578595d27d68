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
    /// The key is long enough that something can stand in it, and has what that needs.
    var hasFindings = false
    /// A list of parts whose texts follow each other.
    var isParts = false
    /// The text of such a part.
    var isPartText = false

    /// For a key that nobody looked at.
    static var masking: KeyDecision {
        var decision = KeyDecision(detectors: .all)
        decision.action = .mask
        return decision
    }

    init(detectors: DetectorSet) {
        self.detectors = detectors
    }

    /// - Parameters:
    ///   - key: of an attribute, or the path of a member of a JSON text or of a nested value.
    ///   - name: its last part.
    init(_ key: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, _ policy: RedactionPolicy) {
        detectors = policy.detectors
        hints = ContextWords.standard.hints(inKey: name)
        hasFindings =
            key.count > 5 && key.contains { isDigit($0) || $0 == 0x40 || $0 == 0x3D || $0 == 0x3A || $0 == 0x2D }
        isParts = Self.equals(name, "parts") || Self.equals(name, "content")
        isPartText = Self.equals(name, "text") || Self.equals(name, "content")
        if let rule = policy.keys.first(where: { $0.pattern.matches(key) }) {
            action = rule.action
            return
        }
        if apply(policy.collector, key) { return }
        isContent = ContentKeys.has(key)
        if isContent, policy.content != .keep {
            action = policy.content.keyAction
            reason = .content
            return
        }
        guard policy.knowsKeys else { return }
        classify(key, name)
    }

    private mutating func apply(_ collector: RedactionPolicy.CollectorKeys, _ key: UnsafeRawBufferPointer) -> Bool {
        if collector.ignored.contains(where: { $0.matches(key) })
            || collector.ignoredPatterns.contains(where: { $0.matches(key) })
        {
            action = .keep
            return true
        }
        if collector.blockedPatterns.contains(where: { $0.matches(key) }) {
            action = collector.hash == nil ? .mask : .hash
            reason = .blocked
            return true
        }
        return false
    }

    private mutating func classify(_ key: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) {
        if KeyNames.isIdentifier(key, name) {
            (action, reason) = (.hash, .id)
        } else if KeyNames.isSecret(name) {
            (action, reason) = (.mask, .secret)
        } else if KeyNames.isClientAddress(key, name) {
            takesAnyAddress = true
        } else if KeyNames.isStructural(key, name) {
            detectors = detectors.subtracting(KeyNames.numbers)
        }
    }

    static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && (0..<bytes.count).allSatisfy { bytes[$0] == text.utf8Start[$0] }
    }
}
