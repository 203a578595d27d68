/// A trace of one tenant. Its id alone says too little: it travels in `traceparent`, so another tenant may know it, and
/// send spans of it that must not decide about these.
struct TenantTrace: Hashable, Sendable {
    /// Of the tenant's name.
    let tenant: Int
    let id: TraceID

    init(tenant: Int, id: TraceID) {
        self.tenant = tenant
        self.id = id
    }

    init(_ tenant: String, _ id: TraceID) {
        self.init(tenant: Self.number(of: tenant), id: id)
    }

    /// The same in this process alone, so it is for no file. It is a hash under a key that the process drew when it
    /// began and shows nobody: no tenant can find a name whose number is that of another.
    static func number(of tenant: String) -> Int { tenant.hashValue }
}
