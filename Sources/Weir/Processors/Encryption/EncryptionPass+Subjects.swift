// Whose keys values get.
extension EncryptionPass {
    /// Looks whom the resources of a batch name, before anything of them is encrypted, and whether it names too many.
    mutating func findSubjects(in batch: borrowing Batch) throws(KeyError) {
        subjectsOfResources.removeAll(keepingCapacity: true)
        guard !policy.subjects.isEmpty else { return }
        for index in batch.resources.indices {
            let isWritten = batch.isWritten(resource: index)
            subjectsOfResources.append(
                isWritten ? try person(in: batch.resources[index].attributes, batch) ?? [] : [])
        }
        // One that is refused passes when it comes again only if the ring still has the keys that were made for it.
        let limit = min(policy.maxPersons, keyring.limit)
        // Most requests cannot name so many.
        guard isBounded, batch.spans.count + batch.resources.count > limit else { return }
        var persons = Set(subjectsOfResources)
        persons.insert([])
        for span in batch.spans where span.isWritten {
            guard persons.count <= limit + 1 else { break }
            persons.insert(try subject(of: span, batch))
        }
        guard persons.count <= limit + 1 else { throw .tooManyPersons(limit: limit) }
    }

    /// What stands for the person that the resource names; empty where it names none.
    func subject(ofResource index: Int) -> [UInt8] {
        subjectsOfResources.isEmpty ? [] : subjectsOfResources[index]
    }

    /// The same of the person that the span is about: whom it names itself, else one of its events, else its resource.
    /// An erasure looks in these places.
    mutating func subject(of span: SpanRecord, _ batch: borrowing Batch) throws(KeyError) -> [UInt8] {
        guard !policy.subjects.isEmpty else { return [] }
        if let own = try person(in: span.attributes, batch) { return own }
        for event in span.events {
            if let named = try person(in: batch.events[event].attributes, batch) { return named }
        }
        return subject(ofResource: Int(batch.scopes[Int(span.scope)].resource))
    }

    private mutating func person(
        in attributes: AttributeRange, _ batch: borrowing Batch
    ) throws(KeyError) -> [UInt8]? {
        for (place, name) in policy.subjects.enumerated() {
            guard let value = batch.value(of: name, in: attributes), var bytes = value.name else { continue }
            bytes.append(UInt8(place))
            if let tag = tags.find(name: bytes) { return tag }
            let tag = bytes.dropLast().withUnsafeBytes { keyring.tag(of: name.text, $0, tenant: tenant) }
            // Under the tenant's key it would outlive the erasure of the person.
            guard let tag else { throw keyring.problem ?? .unavailable("what subjects are looked up by is not there") }
            tags.keep(tag, forName: bytes)
            return tag
        }
        return nil
    }
}

extension AnyValue {
    /// Whom it names: a text, or a number as JSON has it. Ciphertext and what is no single value name nobody.
    fileprivate var name: [UInt8]? {
        switch self {
        case .string(let text): text.isEmpty || Envelope.isWhole(text) ? nil : Array(text)
        case .int(let number): Array(number.description.utf8)
        case .double(let number): Array(number.description.utf8)
        default: nil
        }
    }
}
