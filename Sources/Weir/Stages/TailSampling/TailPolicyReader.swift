/// Reads policies of `tail_sampling`, with the names and keys that the OpenTelemetry Collector has for them.
struct TailPolicyReader {
    private enum Kind: String, CaseIterable {
        case always = "always_sample"
        case latency
        case numeric = "numeric_attribute"
        case string = "string_attribute"
        case boolean = "boolean_attribute"
        case probabilistic
        case status = "status_code"
        case rate = "rate_limiting"
        case bytes = "bytes_limiting"
        case spanCount = "span_count"
        case traceState = "trace_state"
        case condition
        case cost
        case and
        case not
        case drop
        case composite
    }

    /// Policies of one list.
    static let maximumCount = 256
    /// `and` in a `composite`, and `not` in that.
    private static let maximumDepth = 3
    static let nanosecondsPerMillisecond = 1_000_000

    private(set) var tests: [SpanTest] = []
    private(set) var limits: [TailPolicies.Limit] = []

    mutating func policies(_ fields: inout Fields) -> [TailPolicies.Policy] {
        let policies = list("policies", "What traces are kept; one policy is enough.", &fields, depth: 0)
        if tests.count > SpanTest.maximumCount {
            fields.reject(
                "policies",
                "found \(tests.count) policies that ask something of spans, wanted at most \(SpanTest.maximumCount)")
        }
        Self.checkOnce(policies.map(\.name), "policies", &fields)
        return policies
    }

    private static func checkOnce(_ names: [String], _ key: String, _ fields: inout Fields) {
        let names = names.filter { !$0.isEmpty }
        guard Set(names).count != names.count else { return }
        fields.reject(key, "found a name twice, wanted each once")
    }

    /// It is on every span that the policy keeps, in metrics, and in a file of lines.
    private static func name(_ fields: inout Fields) -> String {
        fields.parsed("name", standIn: "", "What kept spans and metrics call the policy.") { text throws(ConfigError) in
            guard (1...SamplingRule.maximumName).contains(text.utf8.count) else {
                throw ConfigError(found: "\(text.utf8.count) bytes", wanted: "1 to \(SamplingRule.maximumName)")
            }
            guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
                throw ConfigError(found: text.quotedForMessage, wanted: "a name on one line")
            }
            guard ![TailSamplingRun.promoted, TraceWindow.burstRule].contains(text) else {
                throw ConfigError(
                    found: text.quotedForMessage,
                    wanted: "another name: spans have that one which no policy has kept")
            }
            return text
        }
    }

    private mutating func list(
        _ key: String, _ help: String, _ fields: inout Fields, depth: Int
    ) -> [TailPolicies.Policy] {
        var reader = self
        let policies = fields.list(key, count: 1...Self.maximumCount, help) { fields in
            reader.policy(&fields, depth: depth)
        }
        self = reader
        return policies
    }

    private mutating func policy(_ fields: inout Fields, depth: Int) -> TailPolicies.Policy {
        let name = Self.name(&fields)
        let kind: Kind = fields.choice("type", default: nil, "Which of the sections below it has.")
        guard fields.mode == .reading else {
            // What stands in a list of policies is described once.
            if depth == 0 { for kind in Kind.allCases { _ = rule(kind, &fields, depth: depth) } }
            return TailPolicies.Policy(name: name, rule: .never)
        }
        return TailPolicies.Policy(name: name, rule: rule(kind, &fields, depth: depth), isDrop: kind == .drop)
    }

    private mutating func rule(_ kind: Kind, _ fields: inout Fields, depth: Int) -> TailRule {
        if depth > 0, kind == .drop || kind == .composite || depth >= Self.maximumDepth && kind == .and {
            fields.reject("type", "found \(kind.rawValue) inside of another policy, wanted one that can stand there")
            fields.acceptsAnyKey = true
            return .never
        }
        if kind == .always { return .always }
        var reader = self
        defer { self = reader }
        return fields.section(kind.rawValue, "Of the policy of that type.") { fields in
            switch kind {
            case .always: .always
            case .latency: Self.latency(&fields)
            case .numeric, .string, .boolean, .status, .traceState, .condition: reader.test(kind, &fields)
            case .probabilistic: Self.probability(&fields)
            case .rate: reader.rate(&fields)
            case .bytes: reader.byteRate(&fields)
            case .spanCount: Self.spanCount(&fields)
            case .cost: Self.cost(&fields)
            case .and:
                .all(reader.list("and_sub_policy", "All have to keep it.", &fields, depth: depth + 1).map(\.rule))
            case .drop:
                reader.certain(
                    .all(
                        reader.list("drop_sub_policy", "If all match, it goes.", &fields, depth: depth + 1)
                            .map(\.rule)), &fields)
            case .not:
                reader.certain(
                    fields.section("not_sub_policy", "That must not keep it.") {
                        .not(reader.policy(&$0, depth: depth + 1).rule)
                    }, &fields)
            case .composite: reader.composite(&fields, depth: depth)
            }
        }
    }

    /// The opposite of a chance is none that another sampler could compare with.
    private func certain(_ rule: TailRule, _ fields: inout Fields) -> TailRule {
        if !rule.isCertain {
            fields.reject(
                "", "found a policy of chance (probabilistic, cost or a limiter), wanted policies that match or do not")
        }
        return rule
    }
}

// MARK: - What chance decides

extension TailPolicyReader {
    private static func probability(_ fields: inout Fields) -> TailRule {
        let percentage = fields.number(
            "sampling_percentage", default: 0, in: 0...100, "Of the traces, by the randomness of their ids.")
        if fields.node("sampling_percentage") == nil, fields.mode == .reading {
            fields.rejectMissing("sampling_percentage", wanted: "a number in 0...100")
        }
        fields.ignore("hash_salt", "the trace's own randomness decides, as it does everywhere")
        return .probability(SamplingThreshold(probability: percentage / 100))
    }

    private static func cost(_ fields: inout Fields) -> TailRule {
        let full = fields.number(
            "full_usd", default: 0.1, in: 1e-9...1e6,
            "A trace whose calls cost this, by weir.cost.total, is kept for sure, a cheaper one in proportion.")
        let floor = fields.number(
            "floor_percentage", default: 5, in: 0...100, "Of traces that cost less than this part of it, or nothing.")
        return .cost(full: Int64(full * 1e12), floor: floor / 100)
    }

    private mutating func rate(_ fields: inout Fields) -> TailRule {
        let rate = Self.amount("spans_per_second", most: 1_000_000_000, &fields)
        let burst = fields.int("burst_capacity", default: rate * 2, in: 0...2_000_000_000, "What may be saved up for.")
        Self.check(burst: burst, rate: rate, &fields)
        return limiter(TailPolicies.Limit(unit: .spans, rate: Double(rate), burst: Double(burst)))
    }

    private mutating func byteRate(_ fields: inout Fields) -> TailRule {
        let rate = Self.amount("bytes_per_second", most: 1_000_000_000_000, &fields)
        let burst = fields.int(
            "burst_capacity", default: rate * 2, in: 0...2_000_000_000_000, "What may be saved up for.")
        Self.check(burst: burst, rate: rate, &fields)
        return limiter(TailPolicies.Limit(unit: .bytes, rate: Double(rate), burst: Double(burst)))
    }

    private static func check(burst: Int, rate: Int, _ fields: inout Fields) {
        guard burst < rate else { return }
        fields.reject("burst_capacity", "found \(burst), wanted \(rate) or more, which is what a second may keep")
    }

    /// A key without a default.
    private static func amount(_ key: String, most: Int, _ fields: inout Fields) -> Int {
        let amount = fields.int(key, default: 0, in: 0...most, "What may be kept; at least 1.")
        if amount == 0 { fields.reject(key, "found 0 or nothing, wanted an integer in 1...\(most)") }
        return amount
    }

    private mutating func limiter(_ limit: TailPolicies.Limit) -> TailRule {
        limits.append(limit)
        return .limiter(limits.count - 1)
    }

    private mutating func composite(_ fields: inout Fields, depth: Int) -> TailRule {
        let total = Self.amount("max_total_spans_per_second", most: 1_000_000_000, &fields)
        let order = fields.strings("policy_order", default: [], count: 1...Self.maximumCount, "Names, the first first.")
        let parts = list("composite_sub_policy", "What may be kept.", &fields, depth: depth + 1)
        let shares = fields.list("rate_allocation", count: 0...Self.maximumCount, "Who may keep how much of it.") {
            fields -> (policy: String, percent: Int) in
            if fields.node("percent") == nil, fields.mode == .reading {
                fields.rejectMissing("percent", wanted: "an integer in 1...100")
            }
            return (
                policy: fields.string("policy", "A name."),
                percent: fields.int("percent", default: 0, in: 1...100, "Of max_total_spans_per_second.")
            )
        }
        let names = parts.map(\.name)
        let known = Set(names)
        for name in order + shares.map(\.policy) where !known.contains(name) && fields.mode == .reading {
            fields.reject("", "found \(name.quotedForMessage), wanted a name of composite_sub_policy")
        }
        for name in names where !name.isEmpty && !order.contains(name) && fields.mode == .reading {
            fields.reject("policy_order", "found no \(name.quotedForMessage), wanted all of composite_sub_policy")
        }
        Self.checkOnce(names, "composite_sub_policy", &fields)
        Self.checkOnce(order, "policy_order", &fields)
        Self.checkOnce(shares.map(\.policy), "rate_allocation", &fields)
        // Those of which nothing is said have equal parts of what is left.
        let left = 100 - shares.reduce(0) { $0 + $1.percent }
        let others = order.count { name in !shares.contains { $0.policy == name } }
        if left < 0 {
            fields.reject("rate_allocation", "found more than 100 percent, wanted at most 100")
        } else if left == 0, others > 0 {
            fields.reject(
                "rate_allocation",
                "found 100 percent for \(shares.count) of \(order.count) policies, wanted some for each")
        } else if shares.contains(where: { $0.percent > 0 && total * $0.percent < 100 })
            || others > 0 && total * left < 100 * others, total > 0
        {
            // A part of a span would be a whole one, and together they would be more than the total.
            fields.reject(
                "max_total_spans_per_second", "found \(total), wanted enough for a span a second of each policy")
        }
        return .any(
            order.compactMap { name in
                guard let part = parts.first(where: { $0.name == name }) else { return nil }
                let share = shares.first { $0.policy == name }.map { Double($0.percent) }
                let percent = share ?? Double(max(0, left)) / Double(max(1, others))
                let rate = Double(total) * percent / 100
                return .all([part.rule, limiter(TailPolicies.Limit(unit: .spans, rate: rate, burst: rate))])
            })
    }
}

// MARK: - What matches

extension TailPolicyReader {
    private static func latency(_ fields: inout Fields) -> TailRule {
        let most = Int.max / nanosecondsPerMillisecond
        let least = fields.int(
            "threshold_ms", default: 0, in: 0...most, "From the first start to the last end, or more.")
        let upper = fields.int("upper_threshold_ms", default: 0, in: 0...most, "At most; 0 is no limit.")
        if least == 0, upper == 0, fields.mode == .reading {
            fields.reject("threshold_ms", "found 0 or nothing, wanted 1 or more, or upper_threshold_ms")
        }
        guard upper == 0 || upper >= least else {
            fields.reject("upper_threshold_ms", "found \(upper), wanted \(least) or more")
            return .never
        }
        let end = upper == 0 ? UInt64.max : UInt64(upper * nanosecondsPerMillisecond)
        return .duration(UInt64(least * nanosecondsPerMillisecond)...end)
    }

    private static func spanCount(_ fields: inout Fields) -> TailRule {
        let least = fields.int("min_spans", default: 0, in: 0...Int.max, "Spans at least.")
        let most = fields.int("max_spans", default: 0, in: 0...Int.max, "Spans at most; 0 is no limit.")
        guard most == 0 || most >= least else {
            fields.reject("max_spans", "found \(most), wanted \(least) or more")
            return .never
        }
        return .spanCount(least...(most == 0 ? .max : most))
    }

    private mutating func test(_ kind: Kind, _ fields: inout Fields) -> TailRule {
        switch kind {
        case .numeric: numeric(&fields)
        case .string: string(&fields)
        case .boolean: boolean(&fields)
        case .status: status(&fields)
        case .traceState: traceState(&fields)
        default: condition(&fields)
        }
    }

    private mutating func add(_ test: SpanTest) -> TailRule {
        tests.append(test)
        // Of those that do not fit the configuration is refused.
        return .test(min(tests.count, SpanTest.maximumCount) - 1)
    }

    /// An attribute of the span or of its resource, as in the OpenTelemetry Collector.
    private mutating func attribute(_ key: String, _ tests: [ValueTest], isAll: Bool = false) -> TailRule {
        let key = AttributeKey(key)
        let places = [ConditionField.attribute(key), .resourceAttribute(key)].map { field in
            let parts = tests.map { ConditionExpression.test(field, $0) }
            return isAll ? ConditionExpression.all(parts) : .any(parts)
        }
        return add(.condition(Condition(.any(places))))
    }

    private mutating func numeric(_ fields: inout Fields) -> TailRule {
        let key = fields.string("key", "Of an attribute of a span or resource.")
        let least = fields.int("min_value", default: .min, in: Int.min...Int.max, "At least.")
        let most = fields.int("max_value", default: .max, in: Int.min...Int.max, "At most.")
        if least > most { fields.reject("max_value", "found \(most), wanted \(least) or more") }
        let invert = Self.invert(&fields)
        let rule = attribute(
            key, [.isOrdered(.greaterOrEqual, .int(Int64(least))), .isOrdered(.lessOrEqual, .int(Int64(most)))],
            isAll: true)
        return invert ? .not(rule) : rule
    }

    private mutating func string(_ fields: inout Fields) -> TailRule {
        let key = fields.string("key", "Of an attribute of a span or resource.")
        let isExpression = fields.bool("enabled_regex_matching", default: false, "Whether values are expressions.")
        let tests = fields.parsedList("values", count: 1...SpanMatch.maximumCount, "Any of these.") {
            text throws(ConfigError) in
            isExpression ? ValueTest.matches(try RegularExpression(parsing: text)) : .equals(ConditionLiteral(text))
        }
        fields.ignore("cache_max_size", "nothing is cached")
        let invert = Self.invert(&fields)
        let rule = attribute(key, tests)
        return invert ? .not(rule) : rule
    }

    private mutating func boolean(_ fields: inout Fields) -> TailRule {
        let key = fields.string("key", "Of an attribute of a span or resource.")
        let value = fields.bool("value", default: true, "What it has to be.")
        let invert = Self.invert(&fields)
        let rule = attribute(key, [.equals(.bool(value))])
        return invert ? .not(rule) : rule
    }

    private static func invert(_ fields: inout Fields) -> Bool {
        fields.bool("invert_match", default: false, "Whether it has to match no span instead of one.")
    }

    private mutating func status(_ fields: inout Fields) -> TailRule {
        let words = ["UNSET", "OK", "ERROR"]
        let codes = fields.parsedList("status_codes", count: 1...words.count, "Of a span: ERROR, OK or UNSET.") {
            text throws(ConfigError) in
            guard let code = words.firstIndex(of: text) else {
                throw ConfigError(found: text.quotedForMessage, wanted: "one of \(words.joined(separator: ", "))")
            }
            return ConditionLiteral.int(Int64(code))
        }
        return add(.condition(Condition(.test(.status, .isOneOf(codes)))))
    }

    private mutating func traceState(_ fields: inout Fields) -> TailRule {
        let key = fields.string("key", "Of a member of a span's trace state.")
        let values = fields.strings("values", default: [], count: 1...SpanMatch.maximumCount, "Any of these.")
        return add(.traceState(key: Array(key.utf8), values: values.map { Array($0.utf8) }))
    }

    private mutating func condition(_ fields: inout Fields) -> TailRule {
        let conditions = fields.parsedList(
            "span", count: 1...FilterProcessor.Configuration.maximumCount,
            "In the language of docs/conditions.md; one of them has to match a span.", Condition.init(parsing:))
        return .any(conditions.map { add(.condition($0)) })
    }
}
