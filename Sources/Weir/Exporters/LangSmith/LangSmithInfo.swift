/// What a server says of itself at `/info`, as far as it changes what it is sent.
struct LangSmithInfo: Equatable, Sendable {
    /// What LangSmith's clients assume where there is no answer.
    static let unknown = LangSmithInfo()

    /// Operations of a request.
    var maxRuns = 100
    /// Bytes of a request before it is compressed.
    var maxBytes = 20 << 20
    var takesMultipart = true
    var takesZstd = false
    var takesGzip = true

    private init() {}

    /// Nil where the answer is none that `/info` gives. Limits that make no sense are brought into a range.
    init?(_ answer: [UInt8]) {
        var info = LangSmithInfo()
        let isRead = answer.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.value(bytes), tree["version"] != nil else { return false }
            func number(_ tree: JSONTree?) -> Int? {
                guard case .number(let text)? = tree else { return nil }
                return Int(String(decoding: text, as: UTF8.self))
            }
            let config = tree["batch_ingest_config"]
            if let count = number(config?["size_limit"]) { info.maxRuns = min(max(count, 1), 1_000) }
            if let count = number(config?["size_limit_bytes"]) { info.maxBytes = min(max(count, 64 << 10), 20 << 20) }
            if case .bool(let flag)? = config?["use_multipart_endpoint"] { info.takesMultipart = flag }
            if case .bool(let flag)? = tree["instance_flags"]?["zstd_compression_enabled"] { info.takesZstd = flag }
            return true
        }
        guard isRead else { return nil }
        self = info
    }
}
