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
            guard attribute.kind == .string, !attribute.isRemoved,
                Envelope.hasPrefix(bytes(attribute.valueRef))
            else { continue }
            let stored = word ?? store(.string(Batch.hidden))
            word = stored
            set(attributeAt: index, to: stored, of: owner)
        }
    }
}
