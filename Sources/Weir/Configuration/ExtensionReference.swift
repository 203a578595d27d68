/// A key of some component names an extension.
struct ExtensionReference: Sendable {
    let id: ComponentID
    /// What the component needs it for.
    let role: ExtensionRole
    let line: Int
    let path: String
    /// What may stand there and is no extension.
    var alternative: String?
}
