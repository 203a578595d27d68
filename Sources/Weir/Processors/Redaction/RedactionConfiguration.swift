/// The keys of the processor `redaction`.
struct RedactionConfiguration: Configurable {
    /// What a detector may be set to.
    private enum Setting: String, CaseIterable {
        case on, off, mask, partial, hash, dropValue = "drop_value", drop
    }

    /// Where the key of the tokens comes from.
    enum KeySource: Sendable {
        case text(String)
        case file(String)
    }

    /// Bytes of a key that stands in the file or in a variable.
    static let minimumKey = 32

    let policy: RedactionPolicy
    var keySource: KeySource
    let epoch: String

    init(_ fields: inout Fields) throws(ConfigError) {
        var policy = RedactionPolicy()
        let preset = fields.choice("preset", default: RedactionPreset.default, "Which detectors are on.")
        policy.isStrict = preset == .strict
        policy.knowsKeys = preset != .none
        policy.detectors = preset.detectors
        fields.section("detectors", "Single detectors: on, off, or what becomes of what they find.") { fields in
            for detector in Detector.allCases {
                Self.read(detector, from: &fields, into: &policy)
            }
        }
        policy.content = fields.choice("content", default: ContentAction.keep, "What becomes of prompts and answers.")
        policy.keys = fields.list("keys", count: 0...1000, "Rules about keys; the first that fits holds.") { fields in
            let key = fields.string("key", "The key, or a path below it; * stands for any text.")
            let action: KeyAction = fields.choice("action", default: nil, "What becomes of the value.")
            // What nobody named for sure does not pass.
            return RedactionPolicy.KeyRule(
                pattern: fields.keyPattern(key, "key", isExact: action == .keep), action: action)
        }
        if let warning = SubjectFamily.warning(ofRuleThat: policy.encrypts) { fields.warn("keys", warning) }
        Self.readAllowed(from: &fields, into: &policy)
        policy.isDryRun = fields.bool("dry_run", default: false, "Marks spans and counts, but changes nothing.")
        policy.summary = fields.choice(
            "summary", default: RedactionPolicy.Summary.silent,
            "info sets redaction.count on spans that were changed, debug also redaction.types.")
        policy.ruleTime = fields.duration(
            "rule_time_limit", default: .milliseconds(100), in: .milliseconds(1)...(.seconds(10)),
            "Time that own patterns may take in one request; texts that come later are masked.")
        policy.rules = fields.list(
            "rules", count: 0...RedactionRule.maximumCount, "What else is to be found."
        ) { Self.rule(from: &$0) }.compactMap(\.self)
        Self.readCollectorKeys(from: &fields, into: &policy)
        self.policy = policy

        let key = fields.optionalString(
            "key", secret: true, "The secret that tokens are made with, at least 32 bytes; in place of key_file.")
        let file = fields.string(
            "key_file", default: "data/redaction.key", "Where the secret stands; made where it is missing.")
        if let key, key.utf8.count < Self.minimumKey {
            fields.reject("key", "found \(key.utf8.count) bytes, wanted at least \(Self.minimumKey)")
        }
        keySource = key.map(KeySource.text) ?? .file(file)
        epoch = fields.string("epoch", default: "1", "Another word, and tokens no longer meet those made before.")
    }

    var traits: ProcessorTraits {
        let encrypts = policy.content == .encrypt || policy.keys.contains { $0.action == .encrypt }
        guard encrypts else { return .redacts }
        return policy.content == .encrypt
            ? [.redacts, .wantsEncryption, .encryptsContent] : [.redacts, .wantsEncryption]
    }

    func covers(_ key: AttributeKey) -> Bool { policy.encrypts(key.text) }

    private static func read(_ detector: Detector, from fields: inout Fields, into policy: inout RedactionPolicy) {
        let setting = fields.optionalChoice(detector.name, Setting.self, "As \(detector.label).")
        guard let setting else { return }
        let only = DetectorSet(detector)
        policy.detectors = setting == .off ? policy.detectors.subtracting(only) : policy.detectors.union(only)
        if let action = RedactionAction(rawValue: setting.rawValue) {
            policy.actions[Int(detector.rawValue)] = action
        }
    }

    private static func readAllowed(from fields: inout Fields, into policy: inout RedactionPolicy) {
        let texts = fields.strings(
            "allow", default: [], count: 0...1000, "Matches that stay, such as *@example.com or 192.0.2.0/24.")
        for text in texts {
            do throws(AddressRange.BadPrefix) {
                if let range = try AddressRange(text) {
                    policy.allowedAddresses.append(range)
                } else {
                    policy.allowed.append(GlobPattern(text))
                }
            } catch {
                fields.reject("allow", "found \(text.quotedForMessage), wanted a prefix from 0 to \(error.longest)")
            }
        }
    }

    private static func rule(from fields: inout Fields) -> RedactionRule? {
        let name = fields.string("name", "As the metrics and the mask have it, in letters, digits and _.")
        let pattern = fields.expression("pattern", "The regular expression.")
        let keywords = fields.strings("keywords", default: [], count: 0...50, "The text must have one of these.")
        let context = fields.strings("context", default: [], count: 0...50, "One of these must stand near a match.")
        let check = fields.choice("check", default: RedactionRule.Check.none, "What the digits of a match must pass.")
        let action = fields.choice("action", default: RedactionAction.mask, "What becomes of a match.")
        if !name.utf8.allSatisfy(isWordByte) {
            fields.reject("name", "found \(name.quotedForMessage), wanted letters, digits and _")
        }
        guard let pattern else {
            if fields.node("pattern") == nil { fields.rejectMissing("pattern", wanted: "a regular expression") }
            return nil
        }
        return RedactionRule(
            name: name.lowercased(), pattern: pattern, keywords: keywords.map { Array($0.lowercased().utf8) },
            check: check, context: context.map { Array($0.lowercased().utf8) }, action: action,
            mask: Array("[\(name.uppercased())]".utf8))
    }
}
