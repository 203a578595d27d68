// A batch: every text that it carries.
extension RedactionPass {
    mutating func redact(_ batch: inout Batch) {
        begin(&batch)
        for index in batch.resources.indices {
            attributes(of: .resource(index), &batch)
            text(.resourceSchemaURL(index), plainText, &batch)
            entities(index, &batch)
        }
        for index in batch.scopes.indices {
            attributes(of: .scope(index), &batch)
            text(.scopeName(index), plainText, &batch)
            text(.scopeVersion(index), structuralText, &batch)
            text(.scopeSchemaURL(index), plainText, &batch)
        }
        for index in batch.spans.indices where !batch.spans[index].isDropped { redact(span: index, &batch) }
    }

    mutating func begin(_ batch: inout Batch) {
        tenant = batch.tenant
        ruleTimeLeft = policy.ruleTime
        decisions = 0
        recent.count = 0
        tally.unknownFields += batch.keepKnownFields()
    }

    private mutating func redact(span index: Int, _ batch: inout Batch) {
        if policy.content != .keep { readUsage(span: index, &batch) }
        let span = batch.spans[index]
        tally.beginSpan()
        text(.spanName(index), plainText, &batch)
        traceState(.traceState(index), &batch)
        text(.statusMessage(index), plainText, &batch)
        attributes(of: .span(index), &batch)
        for event in span.events {
            isOfMessage = isMessage(event, span: index, batch)
            text(.eventName(event, span: index), plainText, &batch)
            attributes(of: .event(event, span: index), &batch)
            isOfMessage = false
        }
        for link in span.links {
            traceState(.linkTraceState(link, span: index), &batch)
            attributes(of: .link(link, span: index), &batch)
        }
        if tally.inSpan > 0 { summarise(index, &batch) }
    }

    func isMessage(_ event: Int, span: Int, _ batch: borrowing Batch) -> Bool {
        policy.content != .keep
            && ContentKeys.isMessage(event: batch.bytes(batch.ref(of: .eventName(event, span: span))))
    }

    /// What an answer says of the tokens that it took outlives the answer, so that `cost` can price it.
    private mutating func readUsage(span index: Int, _ batch: inout Batch) {
        genAI.find(in: batch.spans[index].attributes, of: batch)
        if genAI.operation(of: batch).isModelCall { SpelledOutUsage.add(to: index, genAI, of: &batch) }
    }

    private mutating func summarise(_ index: Int, _ batch: inout Batch) {
        batch.set(Self.countKey, to: batch.store(.int(Int64(tally.inSpan))), of: .span(index))
        if policy.summary == .debug || policy.isDryRun {
            let kinds = tally.kindsInSpan.sorted().map(NewValue.string)
            batch.set(Self.typesKey, to: batch.store(.array(kinds)), of: .span(index))
        }
    }

    private static let countKey = AttributeKey("redaction.count")
    private static let typesKey = AttributeKey("redaction.types")

    /// A text that is no attribute.
    mutating func text(_ place: BatchText, _ decision: KeyDecision, _ batch: inout Batch) {
        let ref = batch.ref(of: place)
        guard canHold(Int(ref.count)) else { return }
        wantsRemoval = false
        begin(UnsafeRawBufferPointer(start: nil, count: 0))
        guard let new = redact(batch.bytes(ref), decision), !policy.isDryRun else { return }
        let stored = new.withUnsafeBytes { batch.intern($0) }
        batch.set(place, to: stored)
    }

    /// A list of `key=value` (W3C Trace Context, 3.3), of which the member `ot` has numbers that sampling needs.
    mutating func traceState(_ place: BatchText, _ batch: inout Batch) {
        let ref = batch.ref(of: place)
        guard ref.count > 0 else { return }
        let bytes = batch.bytes(ref)
        guard let own = Self.samplingMember(of: bytes) else { return text(place, plainText, &batch) }
        begin(UnsafeRawBufferPointer(start: nil, count: 0))
        let sides = [bytes[..<own.lowerBound], bytes[own.upperBound...]].map(UnsafeRawBufferPointer.init(rebasing:))
        let new = sides.map { side in side.isEmpty ? nil : redact(side, plainText) }
        guard new.contains(where: { $0 != nil }), !policy.isDryRun else { return }
        let whole = (new[0] ?? Array(sides[0])) + Array(bytes[own]) + (new[1] ?? Array(sides[1]))
        let stored = whole.withUnsafeBytes { batch.intern($0) }
        batch.set(place, to: stored)
    }

    private static func samplingMember(of state: UnsafeRawBufferPointer) -> Range<Int>? {
        for at in state.indices where state[at] == UInt8(ascii: "o") {
            guard state[at...].starts(with: "ot=".utf8), at == 0 || ", \t".utf8.contains(state[at - 1]) else {
                continue
            }
            return at..<(state[at...].firstIndex(of: UInt8(ascii: ",")) ?? state.count)
        }
        return nil
    }

    /// References to entities hold keys and a URL. One in which something stands goes, with the others.
    private mutating func entities(_ index: Int, _ batch: inout Batch) {
        let extra = batch.resources[index].extra
        guard extra.count > 0 else { return }
        let decision = KeyDecision(detectors: policy.detectors)
        var fields = FieldReader(batch.bytes(extra))
        while let field = fields.next() {
            var texts = FieldReader(field.body)
            while let text = texts.next() {
                guard plain(text.body, decision) != nil else { continue }
                batch.dropExtra(ofResource: index)
                return
            }
        }
    }

    // MARK: Attributes

    private mutating func attributes(of owner: AttributeOwner, _ batch: inout Batch) {
        let range = batch.attributes(of: owner).indices
        names.forget()
        guard case .span = owner else {
            for index in range where !batch.attributes[index].isRemoved {
                let decision = decision(forKey: batch.bytes(batch.attributes[index].key))
                _ = attribute(index, decision, owner, &batch)
            }
            return
        }
        for index in range where !batch.attributes[index].isRemoved {
            spanAttribute(index, at: index - range.lowerBound, owner, &batch)
        }
    }

    /// An attribute that says the same as the one in its place of the span before, in which nothing was, is not looked
    /// through again.
    @inline(__always)
    private mutating func spanAttribute(_ index: Int, at place: Int, _ owner: AttributeOwner, _ batch: inout Batch) {
        let (key, kind, value) = (
            batch.attributes[index].key, batch.attributes[index].kind, batch.attributes[index].valueRef
        )
        let bytes = batch.bytes(key)
        let isKnown = place < recent.count && AttributeKey.areEqual(batch.bytes(recent[place].key), bytes)
        if isKnown, kind == .string, recent[place].isClean,
            AttributeKey.areEqual(batch.bytes(recent[place].value), batch.bytes(value))
        {
            return
        }
        let decision = isKnown ? recent[place].decision : decision(forKey: bytes)
        let noted = tally.noted
        // A key in which something stood once says what others cannot be called.
        let isMask = bytes.last == UInt8(ascii: "]")
        let stays = attribute(index, decision, owner, &batch)
        guard place <= recent.count, place < RecentAttribute.limit else { return }
        let isClean = stays && !isMask && kind == .string && decision.action == .scan && tally.noted == noted
        let now = RecentAttribute(key: key, decision: decision, value: value, isClean: isClean)
        if place < recent.count { recent[place] = now } else { recent.append(now) }
    }

    /// - Returns: whether it stays as it is.
    @inline(__always)
    mutating func attribute(
        _ index: Int, _ decision: KeyDecision, _ owner: AttributeOwner, _ batch: inout Batch
    ) -> Bool {
        let attribute = batch.attributes[index]
        let key = batch.bytes(attribute.key)
        if !isKept(key, decision) || decision.action == .drop {
            tally.note(.drop, decision.action == .drop ? decision.reason : .allowedKeys)
            if !policy.isDryRun { batch.remove(attributeAt: index, of: owner) }
            return false
        }
        var hasNewKey = false
        if decision.hasFindings {
            let text = keyText(key)
            if let new = names.take(key, text), !policy.isDryRun {
                hasNewKey = true
                let stored = new.withUnsafeBytes { batch.intern($0) }
                batch.setKey(attributeAt: index, to: stored, of: owner)
            }
        }
        if decision.action == .keep { return true }
        if decision.action != .encrypt {
            begin(batch.bytes(attribute.key))
            let stays = value(index, attribute, decision, owner, &batch)
            guard encryptsMembers else { return stays }
        }
        tally.note(.encrypt, decision.reason)
        guard !policy.isDryRun else { return false }
        if decision.action == .encrypt || hasNewKey || pathsAreLost {
            batch.arena.pointee.attributes[index].encrypt(nil)
        } else {
            batch.encrypt(membersToEncrypt, ofAttribute: index)
        }
        return false
    }

    private func isKept(_ key: UnsafeRawBufferPointer, _ decision: KeyDecision) -> Bool {
        if policy.collector.allowsAll || decision.action == .keep { return true }
        return policy.collector.allowed.contains { $0.matches(key) }
    }

    /// - Returns: whether it stays as it is.
    @inline(__always)
    private mutating func value(
        _ index: Int, _ attribute: AttributeRecord, _ key: KeyDecision, _ owner: AttributeOwner, _ batch: inout Batch
    ) -> Bool {
        let new: [UInt8]?
        var kind = ValueKind.string
        wantsRemoval = false
        switch attribute.kind {
        case .bool, .empty: return true
        case .double where key.action == .scan && !policy.collector.redactsAllTypes: return true
        case .int where key.action == .scan && attribute.value < 1_000_000 && !policy.collector.redactsAllTypes:
            return true
        case .array where key.action != .hash || key.reason != .content:
            kind = .array
            path += attributeKey
            new = array(batch.bytes(attribute.valueRef), key)
        case .kvlist where key.action != .hash || key.reason != .content:
            kind = .kvlist
            path += attributeKey
            new = list(batch.bytes(attribute.valueRef), key, isPart: false)
        case .array, .kvlist: new = replaced(batch.bytes(attribute.valueRef), key)
        default: new = single(batch.value(of: attribute), key)
        }
        guard let new, !policy.isDryRun else { return true }
        if wantsRemoval {
            batch.remove(attributeAt: index, of: owner)
            return false
        }
        let stored = new.withUnsafeBytes { batch.intern($0) }
        batch.set(attributeAt: index, to: StoredValue(kind: kind, bits: stored.packed), of: owner)
        return false
    }
}
