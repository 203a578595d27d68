/// Whose spans they are.
struct Tenant: Hashable, Sendable {
    let name: String

    init(_ name: String) {
        self.name = name
    }
}
