/// Whose spans a query is about. Every query begins with one, so that none can be written without.
struct Tenant: Hashable, Sendable {
    let name: String

    init(_ name: String) {
        self.name = name
    }
}
