/// Where a receiver brings what it takes.
struct Routes: Sendable {
    let pipelines: [Pipeline]
    /// Those that it would be brought to as well, were their files right.
    private let missing: [MissingPipeline]
    /// Tenants that `pipelines` name.
    private let named: Set<String>

    init(_ pipelines: [Pipeline], missing: [MissingPipeline] = []) {
        self.pipelines = pipelines
        self.missing = missing
        named = pipelines.reduce(into: []) { $0.formUnion($1.tenants ?? []) }
    }

    /// Why nothing of a tenant is taken now, by whichever pipeline; nil where that is not so.
    func refusal(of tenant: String) -> Refusal? {
        guard let pipeline = missing.first(where: { $0.takes(tenant, besides: named) }) else { return nil }
        return .overloaded(
            "spans of the tenant \(tenant) wait for a file of pipelines that is in error: \(pipeline.file)",
            retryAfter: .zero)
    }
}

extension Routes: Equatable {
    static func == (one: Routes, other: Routes) -> Bool {
        one.pipelines.map(ObjectIdentifier.init) == other.pipelines.map(ObjectIdentifier.init)
            && one.missing == other.missing
    }
}
