/// The events of a run, and its error. Events that hold contents are among its inputs and outputs, and the last
/// exception of a run that failed is the error.
struct RunEvents {
    private static let exception = AttributeKey("exception")
    private static let type = AttributeKey("exception.type")
    private static let message = AttributeKey("exception.message")
    private static let stack = AttributeKey("exception.stacktrace")

    /// Indices of the batch.
    private var others: [Int] = []
    private var lastException: Int?
    private let isError: Bool
    /// Nanoseconds since 1970.
    private var firstToken: UInt64?

    init(of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch) {
        let wait =
            genAI.number(.timeToFirstChunk, times: 1e9, of: batch)
            ?? genAI.number(.millisecondsToFirstChunk, times: 1e6, of: batch)
        firstToken = wait.map { span.startTime &+ UInt64($0) }
        for index in span.events {
            let name = batch.bytes(batch.events[index].name)
            if Self.exception.equals(name) { lastException = index }
            if !GenAIEvents.isContent(name) { others.append(index) }
        }
        isError = span.status == 2 || span.status == 0 && lastException != nil
        if isError { others.removeAll { $0 == lastException } }
    }

    var isEmpty: Bool { others.isEmpty && firstToken == nil }

    func write(to json: inout JSONWriter, _ rules: RunRules, _ batch: borrowing Batch) {
        json.raw("[")
        if let firstToken {
            json.raw("{\"name\":\"new_token\",\"time\":")
            json.time(microseconds: firstToken / 1_000)
            json.raw("},")
        }
        for index in others {
            let event = batch.events[index]
            json.raw("{\"name\":")
            json.string(batch.bytes(event.name))
            json.raw(",\"time\":")
            json.time(microseconds: event.time / 1_000)
            if event.attributes.count > 0 {
                var members: [JSONTree.Member] = []
                for place in event.attributes.indices where !batch.attributes[place].isRemoved {
                    let attribute = batch.attributes[place]
                    let key = batch.bytes(attribute.key)
                    if rules.hidesContent, ContentKeys.has(key) { continue }
                    members.append((.plain(key), JSONTree(batch.value(of: attribute))))
                }
                json.raw(",\"kwargs\":")
                json.value(.object(members))
            }
            json.raw("},")
        }
        json.dropComma()
        json.raw("]")
    }

    /// The exception, or what the status says. Nil where nothing failed: an exception on a span whose status is OK was
    /// dealt with.
    func error(of span: SpanRecord, _ batch: borrowing Batch) -> String? {
        guard isError else { return nil }
        let status = batch.text(span.statusMessage)
        guard let index = lastException else { return status.isEmpty ? "error" : status }
        let attributes = batch.events[index].attributes
        func text(_ key: AttributeKey) -> String? {
            guard case .string(let text)? = batch.value(of: key, in: attributes), !text.isEmpty else { return nil }
            return String(decoding: text, as: UTF8.self)
        }
        let what = [text(Self.type), text(Self.message) ?? (status.isEmpty ? nil : status)].compactMap { $0 }
        let stack = text(Self.stack).map { "\n\nStacktrace:\n\($0)" } ?? ""
        return (what.isEmpty ? "error" : what.joined(separator: ": ")) + stack
    }
}
