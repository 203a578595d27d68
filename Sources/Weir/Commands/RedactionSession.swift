import Foundation

/// Redacts what a person tries out.
struct RedactionSession: ~Copyable {
    var pass: RedactionPass
    private let policy: RedactionPolicy
    var batch = Batch()
    private var encoder = OTLPJSONEncoder()
    private var totals: [String: Int] = [:]

    init(_ configuration: RedactionConfiguration) throws {
        policy = configuration.policy
        pass = RedactionPass(configuration.policy, try configuration.tokens())
    }

    /// The settings of a processor that sets nothing.
    static func standard() -> RedactionConfiguration {
        let text = ConfigText(text: RedactionConfiguration.trialKey, isQuoted: true, isExpanded: false)
        var fields = Fields(
            [ConfigNode.Entry(key: "key", value: ConfigNode(line: 1, content: .scalar(text)))], file: "")
        do { return try RedactionConfiguration(&fields) } catch {
            preconditionFailure("the defaults are not valid: \(error)")
        }
    }

    /// - Returns: the line as it would be, nil where it stays; and what was found in it.
    mutating func redact(line: [UInt8]) -> (new: [UInt8]?, found: [String]) {
        let padded = line + [UInt8](repeating: 0, count: 16)
        let decision = KeyDecision(detectors: policy.detectors)
        pass.ruleTimeLeft = policy.ruleTime
        let new = padded.withUnsafeBytes {
            pass.redact(UnsafeRawBufferPointer(rebasing: $0[..<line.count]), decision)
        }
        return (new, drain())
    }

    /// What the detectors and the rules find in a text and nothing allows, as elements of a JSON array. It takes the
    /// text for plain text.
    mutating func findings(in text: [UInt8]) -> [String] {
        let padded = text + [UInt8](repeating: 0, count: 16)
        pass.ruleTimeLeft = policy.ruleTime
        return padded.withUnsafeBytes { padded in
            let text = UnsafeRawBufferPointer(rebasing: padded[..<text.count])
            switch pass.findings(in: text, KeyDecision(detectors: policy.detectors)) {
            case .failure(let failure): return [#"[0,\#(text.count),"LIMIT_\#("\(failure)".uppercased())"]"#]
            case .success(let found):
                return found.compactMap { finding in
                    let match = UnsafeRawBufferPointer(rebasing: text[finding.start..<finding.end])
                    if pass.isAllowed(match) { return nil }
                    let label = JSONCursor.quoted(Array(policy.name(of: finding.kind).uppercased().utf8))
                    return "[\(finding.start),\(finding.end),\(String(decoding: label, as: UTF8.self))]"
                }
            }
        }
    }

    /// - Returns: whether the text is a request; it is then in ``batch``.
    mutating func decode(_ request: Data) -> Bool {
        do {
            let payload = request.withUnsafeBytes { Payload.copying($0) }
            try OTLPJSONDecoder().decode(payload, into: &batch)
        } catch { return false }
        return batch.spanCount > 0
    }

    /// - Returns: the request as it would be; nil where the text is none.
    mutating func redact(request: Data) -> [UInt8]? {
        guard decode(request) else { return nil }
        pass.redact(&batch)
        _ = drain()
        return Array(encoder.bytes(of: batch))
    }

    mutating func drain() -> [String] {
        var found: [(String, Int)] = []
        pass.tally.drain(
            { found.append(("\(policy.name(of: $0)) \($1.rawValue)", $2)) },
            { found.append(("key \($0.rawValue)", $1)) },
            { found.append(("limit \($0)", $1)) })
        for (name, count) in found { totals[name, default: 0] += count }
        return found.map(\.0)
    }

    /// How often what was found.
    var summary: String {
        totals.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
    }
}
