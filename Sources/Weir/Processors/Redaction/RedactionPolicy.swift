/// What is looked for, where, and what becomes of it. Shared by all lanes.
struct RedactionPolicy: Sendable {
    /// What the spans are told of what was done.
    enum Summary: String, CaseIterable, Sendable {
        case silent, info, debug
    }

    /// A rule of the configuration about keys.
    struct KeyRule: Sendable {
        let pattern: KeyPattern
        let action: KeyAction
    }

    /// The OpenTelemetry Collector's keys about keys.
    struct CollectorKeys: Sendable {
        var allowsAll = true
        var allowed: [GlobPattern] = []
        var ignored: [GlobPattern] = []
        var ignoredPatterns: [RegularExpression] = []
        var blockedPatterns: [RegularExpression] = []
        var hash: CollectorHash?
        var redactsAllTypes = false

        var hasPatterns: Bool { !blockedPatterns.isEmpty || !ignoredPatterns.isEmpty }
    }

    var detectors: DetectorSet = .all
    var isStrict = false
    /// By the raw value of the detector.
    var actions = [RedactionAction](repeating: .mask, count: Detector.allCases.count)
    var rules: [RedactionRule] = []
    var keys: [KeyRule] = []
    var collector = CollectorKeys()
    /// Matches that stay.
    var allowed: [GlobPattern] = []
    var allowedPatterns: [RegularExpression] = []
    var allowedAddresses: [AddressRange] = []
    var content = ContentAction.keep
    var summary = Summary.silent
    var isDryRun = false
    /// Whether identifiers become tokens, and what is named a secret is masked: not with the preset `none`.
    var knowsKeys = true
    /// Time that the patterns of the configuration may take in one batch.
    var ruleTime = Duration.milliseconds(100)
    /// Bytes of a text that they are tried on.
    var maxRuleText = 1 << 20

    /// Whether what becomes of a member depends on the whole way to it.
    var looksAtPaths: Bool { !keys.isEmpty || !collector.ignored.isEmpty || collector.hasPatterns }

    /// Whether a rule has the value of an attribute encrypted.
    func encrypts(_ key: String) -> Bool {
        Array(key.utf8).withUnsafeBytes { key in keys.first { $0.pattern.matches(key) }?.action == .encrypt }
    }

    func action(of kind: UInt8) -> RedactionAction {
        kind < RedactionFinding.firstRule ? actions[Int(kind)] : rules[Int(kind - RedactionFinding.firstRule)].action
    }

    /// Of detectors and rules, those of which tokens are made.
    var hashedKinds: [UInt8] {
        let rules = rules.indices.map { RedactionFinding.firstRule + UInt8($0) }
        return (Detector.allCases.map(\.rawValue) + rules).filter { action(of: $0) == .hash }
    }

    func name(of kind: UInt8) -> String {
        kind < RedactionFinding.firstRule
            ? Detector(rawValue: kind)?.name ?? "" : rules[Int(kind - RedactionFinding.firstRule)].name
    }

    /// By a pattern that takes no time worth to be limited.
    func isAllowed(_ match: UnsafeRawBufferPointer) -> Bool {
        allowed.contains { $0.matches(match) } || allowedAddresses.contains { $0.contains(match) }
    }
}
