/// What of a run stands in parts of its own, in the order in which LangSmith's clients send them.
enum RunField: Int, CaseIterable, Sendable {
    case inputs, outputs, events, extra, error

    var name: StaticString {
        switch self {
        case .inputs: "inputs"
        case .outputs: "outputs"
        case .events: "events"
        case .extra: "extra"
        case .error: "error"
        }
    }
}

/// A run as it was written: where its parts stand in what a ``RunWriter`` has written.
struct WrittenRun {
    let place: RunPlace
    /// The object without the fields.
    let head: Range<Int>
    var fields: [(field: RunField, range: Range<Int>)]
    /// It stands for a root that has not come.
    var isStandIn = false
    /// Nobody knows whether the destination has it.
    var isInDoubt = false
    /// What of it is not whole.
    var trimmed: [StaticString] = []

    /// Bytes of a multipart request that is not compressed, with room for what stands around each part.
    var size: Int {
        fields.reduce(head.count + MultipartBody.overhead) { $0 + $1.range.count + MultipartBody.overhead }
    }
}
