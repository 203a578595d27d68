/// Where a tenant's runs go: one base URL, key, workspace and project.
struct LangSmithTarget: Sendable, Hashable {
    let url: HTTPURL
    /// A secret.
    let key: String
    /// A UUID, or empty for the key's own.
    let workspace: String
    let project: String

    var headers: [(name: String, value: String)] {
        [("x-api-key", key), ("Accept", "application/json"), ("User-Agent", "weir")]
            + (workspace.isEmpty ? [] : [("X-Tenant-Id", workspace)])
    }

    /// Some servers repeat the key that they do not accept.
    func withoutSecrets(_ text: String) -> String {
        key.utf8.count < 8 ? text : text.replacing(key, with: EffectiveConfiguration.hidden)
    }
}
