/// The keys of `cors`: which web pages may send what a browser sends for them. Names as in the OpenTelemetry Collector.
struct CORSConfiguration: Sendable {
    let origins: [OriginPattern]
    /// Header fields that pages may set, beside those that every exporter of OpenTelemetry sets.
    let headers: [String]
    /// How long a browser may rely on the answer, in seconds.
    let maxAge: Int

    init(_ fields: inout Fields) {
        origins = fields.origins("allowed_origins")
        headers = fields.parsedList("allowed_headers", count: 0...100, "Further header fields that pages may set.") {
            text throws(ConfigError) in
            guard Fields.isToken(text) else {
                throw ConfigError(found: text.quotedForMessage, wanted: "the name of a header field")
            }
            return text
        }
        maxAge = fields.int(
            "max_age", default: 7_200, in: 0...86_400, "Seconds for which a browser may rely on the answer.")
    }
}

extension Fields {
    /// Origins of web pages. Required.
    mutating func origins(_ key: String) -> [OriginPattern] {
        parsedList(
            key, count: 1...1_000, "Origins of pages, such as https://app.example.com or https://*.example.com.",
            OriginPattern.init(parsing:))
    }
}
