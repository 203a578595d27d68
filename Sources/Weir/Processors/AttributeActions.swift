/// Makes the same changes to the attributes of many owners.
struct AttributeActions: Sendable {
    private let actions: [AttributeAction]
    /// The constant of each action as it stands in the present batch, from its first use on: stored once, not once a
    /// span.
    private var constants: [StoredValue?]

    init(_ actions: [AttributeAction]) {
        self.actions = actions
        constants = Array(repeating: nil, count: actions.count)
    }

    /// Forgets what was stored in the batch before.
    mutating func begin() {
        for index in constants.indices { constants[index] = nil }
    }

    mutating func apply(to owner: AttributeOwner, in batch: inout Batch) {
        for index in actions.indices {
            apply(index, to: owner, in: &batch)
        }
    }

    private mutating func apply(_ index: Int, to owner: AttributeOwner, in batch: inout Batch) {
        switch actions[index] {
        case .insert(let key, let source):
            guard !has(key, owner, batch) else { return }
            set(key, source, index, owner, &batch)
        case .update(let key, let source):
            guard has(key, owner, batch) else { return }
            set(key, source, index, owner, &batch)
        case .upsert(let key, let source): set(key, source, index, owner, &batch)
        case .delete(let key, let pattern):
            if let key { batch.remove(key, of: owner) }
            if let pattern { remove(pattern, owner, &batch) }
        case .extract(let key, let pattern): extract(key, pattern, owner, &batch)
        case .convert(let key, let type): convert(key, type, owner, &batch)
        }
    }

    private func has(_ key: AttributeKey, _ owner: AttributeOwner, _ batch: borrowing Batch) -> Bool {
        batch.firstIndex(of: key, in: batch.attributes(of: owner)) != nil
    }

    private mutating func set(
        _ key: AttributeKey, _ source: AttributeAction.Source, _ index: Int, _ owner: AttributeOwner,
        _ batch: inout Batch
    ) {
        switch source {
        case .constant(let value):
            let stored = constants[index] ?? batch.store(value)
            constants[index] = stored
            batch.set(key, to: stored, of: owner)
        case .attribute(let other):
            guard let found = batch.firstIndex(of: other, in: batch.attributes(of: owner)) else { return }
            batch.set(key, to: batch.storedValue(at: found), of: owner)
        }
    }

    private func remove(_ pattern: RegularExpression, _ owner: AttributeOwner, _ batch: inout Batch) {
        for index in batch.attributes(of: owner).indices where !batch.attributes[index].isRemoved {
            let key = batch.bytes(batch.attributes[index].key)
            guard pattern.matches(key, within: &batch.arena.pointee.matchBudget) else { continue }
            batch.remove(attributeAt: index, of: owner)
        }
    }

    private func extract(
        _ key: AttributeKey, _ pattern: RegularExpression, _ owner: AttributeOwner, _ batch: inout Batch
    ) {
        guard let index = batch.firstIndex(of: key, in: batch.attributes(of: owner)) else { return }
        let attribute = batch.attributes[index]
        guard attribute.kind == .string else { return }
        let text = batch.bytes(attribute.valueRef)
        for (name, range) in pattern.groups(in: text, within: &batch.arena.pointee.matchBudget) {
            // A part of a text need not be copied: it is another reference into the same bytes.
            let part = ByteRef(
                offset: attribute.valueRef.offset + UInt32(range.lowerBound), count: UInt32(range.count))
            let value = StoredValue(kind: .string, bits: part.packed, mustEncrypt: attribute.marks != 0)
            batch.set(AttributeKey(name), to: value, of: owner)
        }
    }

    private func convert(
        _ key: AttributeKey, _ type: AttributeAction.ConvertedType, _ owner: AttributeOwner, _ batch: inout Batch
    ) {
        guard let value = batch.value(of: key, in: batch.attributes(of: owner)),
            let converted = type.converting(value)
        else { return }
        batch.set(key, to: batch.store(converted), of: owner)
    }
}

extension AttributeAction.ConvertedType {
    /// Nil where the value has the type already, or has no meaning in it.
    fileprivate func converting(_ value: AnyValue) -> NewValue? {
        switch (self, value) {
        case (.int, .bool(let flag)): .int(flag ? 1 : 0)
        case (.int, .double(let number)): Int64(exactly: number.rounded(.towardZero)).map(NewValue.int)
        case (.int, .string(let text)): Int64(String(decoding: text, as: UTF8.self)).map(NewValue.int)
        case (.double, .bool(let flag)): .double(flag ? 1 : 0)
        case (.double, .int(let number)): .double(Double(number))
        // Hexadecimal digits are no decimal number.
        case (.double, .string(let text)) where !text.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }):
            Double(String(decoding: text, as: UTF8.self)).map(NewValue.double)
        case (.string, .bool(let flag)): .string(flag ? "true" : "false")
        case (.string, .int(let number)): .string(String(number))
        case (.string, .double(let number)): .string(number.plainText)
        default: nil
        }
    }
}
