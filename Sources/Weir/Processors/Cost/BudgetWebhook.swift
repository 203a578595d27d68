/// Where it is posted that a budget was used up.
struct BudgetWebhook: Sendable {
    let url: HTTPURL
    /// Their values are secrets.
    let headers: [(name: String, value: String)]
    let timeout: Duration

    init(_ fields: inout Fields) {
        url = fields.parsed(
            "url", standIn: HTTPURL(.https, Endpoint(host: "", port: 443)), type: "URL", secret: true,
            "Where a JSON object is posted for each crossing. Chats have their secret in it, so it is never shown.",
            HTTPURL.init(parsing:))
        headers = fields.headers(
            "headers", reserved: ["connection", "content-length", "content-type", "transfer-encoding"],
            "Header fields of each request by name. Their values are never shown.")
        timeout = fields.duration(
            "timeout", default: .seconds(10), in: .milliseconds(100)...(.seconds(60)), "How long to wait for an answer."
        )
    }
}
