/// Which attributes a page may send.
struct AttributeAllowList: Sendable {
    /// What `weir-beacon.js` sends by itself, and names for what a page adds.
    static let usual = [
        "service.name", "service.version", "deployment.environment.name", "session.id", "browser.*", "url.path",
        "http.request.method", "http.response.status_code", "error.type", "web_vital.*", "app.*", "ui.*",
    ]

    /// Nobody can vouch for what a page says, so it never says what a call of a model was or cost, nor what Weir itself
    /// says of spans, whatever the list has.
    private static let forbidden = [
        "gen_ai.", "llm.", "ai.", "openinference.", "traceloop.", "langfuse.", "langsmith.", "mlflow.", "weir.",
        "embedding.", "reranker.", "input.", "output.",
    ]

    private let patterns: [GlobPattern]

    init(_ patterns: [String]) {
        self.patterns = patterns.map(GlobPattern.init)
    }

    static func mayBeNamed(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 128 && !forbidden.contains { key.lowercased().hasPrefix($0) }
    }

    func allows(_ key: String) -> Bool {
        var key = key
        return Self.mayBeNamed(key)
            && patterns.contains { pattern in
                key.withUTF8 { pattern.matches(UnsafeRawBufferPointer($0)) }
            }
    }
}
