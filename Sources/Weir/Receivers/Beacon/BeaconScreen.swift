/// Looks at each event of a page: which of its attributes go on, and whether it does.
struct BeaconScreen {
    typealias Attribute = (key: String, value: JSONTree)

    /// Bytes of a text.
    static let maximumText = 1_024
    static let maximumAttributes = 64
    /// Keeps the choice of sessions apart from that of the processor `sampling`.
    private static let seed: UInt32 = 0xBEAC

    let attributes: AttributeAllowList
    let registry: EventRegistry?
    let outcome: EventViolation.Outcome

    /// - Parameters:
    ///   - attributes: flat; what is no text, number or truth value has been left out.
    ///   - session: what the choice of sessions is made by.
    /// - Returns: what the span has; nil where the event is refused, which the tally then says.
    func screen(
        _ name: String, _ given: [Attribute], session: String, rate: Double, _ tally: inout BeaconTally
    ) -> [Attribute]? {
        let schema = registry?[name]
        if registry != nil, schema == nil, outcome != .mark {
            tally.refuse(.unknownEvent, "the registry has no event \(name.quotedForMessage)")
            return nil
        }
        let sampling = schema?.sampling ?? 1
        guard isKept(session, sampling) else {
            tally.refuse(.sampledOut, "")
            return nil
        }
        var violation: EventViolation? = registry != nil && schema == nil ? .unknownEvent : nil
        var kept: [Attribute] = []
        for (key, value) in given.prefix(Self.maximumAttributes) {
            let member = schema?[key]
            guard member != nil || attributes.allows(key), fits(value) else {
                violation = violation ?? .unknownAttribute(key)
                tally.strippedAttributes += 1
                continue
            }
            if let member, !member.allows(value) {
                violation = violation ?? .wrongValue(key)
                if outcome == .strip {
                    tally.strippedAttributes += 1
                    continue
                }
            }
            kept.append((key, value))
        }
        tally.strippedAttributes += max(0, given.count - Self.maximumAttributes)
        let missing = schema?.payload.first { member in
            member.isRequired && !kept.contains { $0.key == member.name }
        }
        if let missing { violation = .missing(missing.name) }
        if let schema {
            if let violation, outcome == .reject || outcome == .strip && missing != nil {
                tally.refuse(.violation, "\(name.quotedForMessage): \(violation.text.quotedForMessage)")
                return nil
            }
            kept.append(("weir.event.version", .int(Int64(schema.version))))
        }
        if let violation, registry != nil, outcome == .mark {
            tally.marked += 1
            kept.append(("weir.event.violation", .text(violation.text)))
        }
        let count = 1 / (rate * sampling)
        if count > 1 { kept.append((Batch.adjustedCount.text, .double(count))) }
        tally.taken += 1
        return kept
    }

    /// Those of a resource or of a span's event.
    func screen(_ given: [Attribute], _ tally: inout BeaconTally) -> [Attribute] {
        let kept = given.prefix(Self.maximumAttributes).filter { attributes.allows($0.key) && fits($0.value) }
        tally.strippedAttributes += given.count - kept.count
        return Array(kept)
    }

    private func fits(_ value: JSONTree) -> Bool {
        guard case .string(let text) = value else { return true }
        return text.string.utf8.count <= Self.maximumText
    }

    private func isKept(_ session: String, _ share: Double) -> Bool {
        guard share < 1 else { return true }
        var session = session
        let randomness = session.withUTF8 {
            SamplingRandomness(hashing: UnsafeRawBufferPointer($0), seed: Self.seed)
        }
        return randomness.bits >= SamplingThreshold(probability: share).rejected
    }
}
