// The keys of the OpenTelemetry Collector's redaction processor, with their meaning. Where ours is stricter: an allowed
// value saves what it matches, not the text around it; every text is looked through, not only attributes.
extension RedactionConfiguration {
    private enum HashFunction: String, CaseIterable {
        case md5, sha1, sha3, hmacSHA256 = "hmac-sha256", hmacSHA512 = "hmac-sha512"
    }

    static func readCollectorKeys(from fields: inout Fields, into policy: inout RedactionPolicy) {
        var keys = RedactionPolicy.CollectorKeys()
        let allowed = fields.strings(
            "allowed_keys", default: [], count: 0...10_000, "Attributes that stay, if not all do.")
        keys.allowed = allowed.map(GlobPattern.init)
        keys.allowsAll = fields.bool(
            "allow_all_keys", default: allowed.isEmpty, "Whether attributes stay that allowed_keys does not name.")
        keys.ignored = fields.strings(
            "ignored_keys", default: [], count: 0...10_000, "Attributes that pass as they are."
        ).map(GlobPattern.init)
        keys.ignoredPatterns = expressions("ignored_key_patterns", "Expressions for such keys.", &fields)
        keys.blockedPatterns = expressions(
            "blocked_key_patterns", "Expressions for keys whose values are masked or hashed.", &fields)
        keys.redactsAllTypes = fields.bool(
            "redact_all_types", default: false, "Whether all integers of seven digits and more are looked at.")
        let function = fields.optionalChoice(
            "hash_function", HashFunction.self, "What blocked values become in place of ****.")
        let secret = fields.optionalString("hmac_key", secret: true, "The secret of hmac-sha256 and hmac-sha512.")
        keys.hash = hash(function, secret, &fields)
        let blocked = expressions("blocked_values", "Expressions for what is masked or hashed.", &fields)
        policy.rules += blocked.enumerated().map { index, pattern in
            RedactionRule(
                name: "blocked_values_\(index)", pattern: pattern, keywords: [], check: .none, context: [],
                action: .mask, mask: Array("****".utf8), digest: keys.hash)
        }
        if policy.rules.count > RedactionRule.maximumCount {
            fields.reject(
                "", "found \(policy.rules.count) rules and blocked values, wanted \(RedactionRule.maximumCount)")
        }
        policy.allowedPatterns = expressions("allowed_values", "Expressions for matches that stay.", &fields)
        policy.collector = keys
    }

    private static func expressions(_ key: String, _ help: String, _ fields: inout Fields) -> [RegularExpression] {
        fields.parsedList(key, count: 0...190, help) { text throws(ConfigError) in
            try RegularExpression(parsing: text)
        }
    }

    private static func hash(_ function: HashFunction?, _ secret: String?, _ fields: inout Fields) -> CollectorHash? {
        guard let function else { return nil }
        let key = Array((secret ?? "").utf8)
        switch function {
        case .md5: return .plain(.md5)
        case .sha1: return .plain(.sha1)
        case .sha3: return .plain(.sha3)
        case .hmacSHA256, .hmacSHA512:
            let wanted = function == .hmacSHA256 ? 32 : 64
            if key.count < wanted {
                fields.reject("hmac_key", "found \(key.count) bytes, wanted at least \(wanted)")
            }
            return .keyed(KeyedHash(key: key, function == .hmacSHA256 ? .sha256 : .sha512))
        }
    }
}
