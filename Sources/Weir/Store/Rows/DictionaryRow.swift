/// A row of `resources` or `scopes`: what many spans have in common, once.
struct DictionaryRow: Sendable {
    /// The first eight bytes of the SHA-256 of the tenant and everything below. So every collector gives it the same.
    let id: Int64
    let tenantID: Int32
    /// Nil for a resource.
    let name: String?
    let version: String?
    /// A JSON object.
    let attributes: String
    let schemaURL: String
}
