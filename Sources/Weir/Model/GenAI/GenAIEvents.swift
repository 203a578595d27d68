/// Contents that instrumentations put into span events: OpenTelemetry's semantic conventions up to 1.36 had an event
/// for each message, and later ones have one for all.
struct GenAIEvents {
    /// Messages in front of the first choice.
    private(set) var prompts: [JSONTree] = []
    private(set) var choices: [JSONTree] = []
    private(set) var details: (input: JSONTree?, output: JSONTree?, system: JSONTree?)?

    private static let roles = ["system", "user", "assistant", "tool"].map { AttributeKey("gen_ai.\($0).message") }
    private static let roleNames: [StaticString] = ["system", "user", "assistant", "tool"]
    private static let choice = AttributeKey("gen_ai.choice")
    private static let prompt = AttributeKey("gen_ai.content.prompt")
    private static let completion = AttributeKey("gen_ai.content.completion")
    private static let operationDetails = AttributeKey("gen_ai.client.inference.operation.details")
    private static let prefix = AttributeKey("gen_ai.")
    /// What on such an event is no part of the message.
    private static let foreign = ["gen_ai.system", "gen_ai.provider.name", "event.name"].map(AttributeKey.init)
    private static let content = AttributeKey("gen_ai.event.content")

    /// Whether events of this name hold contents.
    static func isContent(_ name: UnsafeRawBufferPointer) -> Bool {
        roles.contains { $0.equals(name) }
            || [choice, prompt, completion, operationDetails].contains { $0.equals(name) }
    }

    init() {}

    init(of span: SpanRecord, in batch: borrowing Batch) {
        for index in span.events {
            let event = batch.events[index]
            let name = batch.bytes(event.name)
            guard name.count > Self.prefix.count else { continue }
            if let role = Self.roles.firstIndex(where: { $0.equals(name) }) {
                prompts += ChatMessages.messages(Self.message(event, in: batch), role: Self.roleNames[role])
            } else if Self.choice.equals(name) {
                choices += ChatMessages.messages(Self.message(event, in: batch), role: "assistant")
            } else if Self.prompt.equals(name), let text = Self.value("gen_ai.prompt", event, in: batch) {
                prompts += ChatMessages.messages(text, role: "user")
            } else if Self.completion.equals(name), let text = Self.value("gen_ai.completion", event, in: batch) {
                choices += ChatMessages.messages(text, role: "assistant")
            } else if Self.operationDetails.equals(name) {
                details = (
                    Self.value("gen_ai.input.messages", event, in: batch),
                    Self.value("gen_ai.output.messages", event, in: batch),
                    Self.value("gen_ai.system_instructions", event, in: batch)
                )
            }
        }
    }

    private static func value(_ key: String, _ event: EventRecord, in batch: borrowing Batch) -> JSONTree? {
        batch.value(of: AttributeKey(key), in: event.attributes).map { JSONTree(readingTextsOf: $0) }
    }

    private static func message(_ event: EventRecord, in batch: borrowing Batch) -> JSONTree {
        if let whole = batch.value(of: content, in: event.attributes) {
            let tree = JSONTree(readingTextsOf: whole)
            // A choice has its message one level down.
            guard case .object(let members)? = tree["message"] else { return tree }
            return .object(members + tree.members.filter { !$0.key.equals("message") })
        }
        var tree = DottedAttributes()
        for place in event.attributes.indices {
            let attribute = batch.attributes[place]
            let key = batch.bytes(attribute.key)
            guard !attribute.isRemoved, !foreign.contains(where: { $0.equals(key) }) else { continue }
            tree.add(key, batch.value(of: attribute))
        }
        let whole = tree.tree() ?? .object([JSONTree.Member]())
        guard case .string(.plain(let text))? = whole["message"] ?? nil,
            case .object(let members)? =
                JSONTreeReader.container(text)
        else { return whole }
        return .object(members + whole.members.filter { !$0.key.equals("message") })
    }
}
