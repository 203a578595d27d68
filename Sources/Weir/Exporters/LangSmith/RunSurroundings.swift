/// What a run's metadata says of the resource and the scope of its span. All of the resource stands on roots only: it
/// is the same on every span.
struct RunSurroundings {
    /// Bytes of it in one run. Every root has it again, and a small request may have a large resource and thousands of
    /// traces.
    static let maxBytes = 16 << 10
    /// Attributes of the resource that a root looks through, the first.
    static let maxAttributes = 256

    private static let service = AttributeKey("service.name")
    private static let internalProvider = AttributeKey("langsmith.internal_provider")

    private(set) var members: [JSONTree.Member] = []
    /// What of it is not whole.
    private(set) var trimmed: [StaticString] = []
    private var room = RunSurroundings.maxBytes

    init(of span: SpanRecord, isRoot: Bool, in batch: borrowing Batch) {
        let resource = batch.resource(of: span).attributes
        let shown = isRoot ? resource.indices.prefix(Self.maxAttributes) : 0..<0
        members.reserveCapacity(shown.count + 2)
        var isWhole = !isRoot || Int(resource.count) <= Self.maxAttributes
        // A large resource does not push it out.
        if let value = batch.resourceValue(of: Self.service, for: span) {
            isWhole = add(JSONTree.Text("service.name"), value, bytes: Self.size(value)) && isWhole
        }
        let scope = batch.bytes(batch.scopes[Int(span.scope)].name)
        var hasScope = true
        if !scope.isEmpty {
            hasScope = add(JSONTree.Text("otel_scope_name"), .string(scope), bytes: scope.count)
        }
        for index in shown where !batch.attributes[index].isRemoved {
            let key = batch.bytes(batch.attributes[index].key)
            if Self.service.equals(key) || Self.internalProvider.equals(key) { continue }
            let value = batch.value(of: batch.attributes[index])
            isWhole = add(.plain(key), value, bytes: key.count + Self.size(value)) && isWhole
        }
        if !isWhole { trimmed.append("resource") }
        if !hasScope { trimmed.append("otel_scope_name") }
    }

    /// - Returns: whether there was room for it.
    private mutating func add(_ name: JSONTree.Text, _ value: AnyValue, bytes: Int) -> Bool {
        guard bytes <= room else { return false }
        room -= bytes
        members.append((name, JSONTree(value)))
        return true
    }

    private static func size(_ value: AnyValue) -> Int {
        switch value {
        case .string(let bytes), .bytes(let bytes): bytes.count
        case .array(let elements): elements.byteCount
        case .kvlist(let pairs): pairs.byteCount
        case .empty, .bool, .int, .double: 8
        }
    }
}
