extension Batch {
    private static let hidden = "[encrypted]"

    /// Puts a word in place of what is encrypted, which is of no use to who cannot read it.
    mutating func hideCiphertext() {
        var word: StoredValue?
        for index in resources.indices { hide(.resource(index), &word) }
        for index in spans.indices {
            hide(.span(index), &word)
            for event in spans[index].events { hide(.event(event, span: index), &word) }
            guard Envelope.hasPrefix(bytes(spans[index].statusMessage)) else { continue }
            let stored = word ?? store(.string(Batch.hidden))
            word = stored
            set(.statusMessage(index), to: ByteRef(packed: stored.bits))
        }
    }

    private mutating func hide(_ owner: AttributeOwner, _ word: inout StoredValue?) {
        for index in attributes(of: owner).indices {
            let attribute = attributes[index]
            guard !attribute.isRemoved, [.string, .array, .kvlist].contains(attribute.kind) else { continue }
            let value = bytes(attribute.valueRef)
            guard Envelope.mayStand(in: value) else { continue }
            guard attribute.kind == .string, Envelope.hasPrefix(value) else {
                hideMembers(of: attribute, at: index, owner)
                continue
            }
            let stored = word ?? store(.string(Batch.hidden))
            word = stored
            set(attributeAt: index, to: stored, of: owner)
        }
    }

    /// The same, for what stands inside of the value.
    private mutating func hideMembers(of attribute: AttributeRecord, at index: Int, _ owner: AttributeOwner) {
        var walk = MemberWalk(bytes(attribute.key))
        var hider = Hider()
        let value = bytes(attribute.valueRef)
        let new =
            attribute.kind == .string
            ? try? walk.text(value, &hider) : try? walk.list(value, isMap: attribute.kind == .kvlist, &hider)
        guard let new = new.flatMap(\.self) else { return }
        let stored = new.withUnsafeBytes { intern($0) }
        set(attributeAt: index, to: StoredValue(kind: attribute.kind, bits: stored.packed), of: owner)
    }

    private struct Hider: MemberVisitor {
        static var looksIntoBytes: Bool { false }

        func wants(_ place: borrowing MemberPlace, text: UnsafeRawBufferPointer?) -> Bool {
            text.map(Envelope.hasPrefix) ?? false
        }

        func change(_ value: MemberValue, at place: borrowing MemberPlace) -> [UInt8]? {
            switch value {
            case .json: Array("\"\(Batch.hidden)\"".utf8)
            case .encoded: Field.encoded(Tag.stringValue, Array(Batch.hidden.utf8))
            }
        }
    }
}
