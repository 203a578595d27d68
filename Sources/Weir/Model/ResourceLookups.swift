/// Where the keys that spans are asked for stand among many attributes of a resource, so that these are not all looked
/// through for each of its spans: a small request may have as many attributes as spans.
struct ResourceLookups {
    /// Attributes that are looked through in less time than it takes to remember.
    static let few = 32
    /// Rules and policies seldom ask for more keys.
    private static let maximum = 16

    private var known: [(resource: Int, key: AttributeKey, index: Int?)] = []

    mutating func removeAll() { known.removeAll(keepingCapacity: true) }

    /// - Returns: nil where it has not been looked for; else its index, nil where it is not there.
    func index(of key: AttributeKey, in resource: Int) -> Int?? {
        known.first { $0.resource == resource && $0.key == key }.map(\.index)
    }

    mutating func note(_ key: AttributeKey, in resource: Int, at index: Int?) {
        if known.count == Self.maximum { known.removeFirst() }
        known.append((resource, key, index))
    }
}

extension Batch {
    /// The value of the first attribute with this key of the span's resource.
    @inline(__always)
    func resourceValue(of key: AttributeKey, for span: SpanRecord) -> AnyValue? {
        let resource = Int(arena.pointee.scopes[Int(span.scope)].resource)
        let range = arena.pointee.resources[resource].attributes
        guard range.count > ResourceLookups.few else { return value(of: key, in: range) }
        return firstIndex(of: key, in: range, of: resource).map { value(of: arena.pointee.attributes[$0]) }
    }

    private func firstIndex(of key: AttributeKey, in range: AttributeRange, of resource: Int) -> Int? {
        if let known = arena.pointee.resourceLookups.index(of: key, in: resource) { return known }
        #if DEBUG
            StepCounter.step()
        #endif
        let index = firstIndex(of: key, in: range)
        arena.pointee.resourceLookups.note(key, in: resource, at: index)
        return index
    }
}
