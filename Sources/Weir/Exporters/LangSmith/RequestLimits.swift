/// How large a request may be, as far as that is known.
struct RequestLimits: Equatable {
    /// No run is made smaller than that.
    private static let least = 64 << 10

    let info: LangSmithInfo
    let maxRuns: Int
    var maxBytes: Int

    init(_ info: LangSmithInfo) {
        self.info = info
        maxRuns = info.maxRuns
        maxBytes = info.maxBytes
    }

    /// A request was too large for the server, or for something in front of it.
    func smaller(than request: RunRequest) throws(ExportError) -> Int {
        let half = maxBytes / 2
        guard half >= Self.least else {
            throw .rejected("the destination answered 413 to a request of \(request.body.count) bytes")
        }
        return half
    }
}
