/// Messages of all vocabularies in the one shape that every viewer of LLM traces knows, OpenAI's: `role`, `content`,
/// `tool_calls`, `tool_call_id`.
enum ChatMessages {
    /// - Parameter tree: a list of messages, one message, or anything else, which is then what one user or model said.
    static func messages(_ tree: JSONTree, role: StaticString) -> [JSONTree] {
        switch tree {
        case .array(let elements): elements.flatMap { message($0, role: role) }
        default: message(tree, role: role)
        }
    }

    /// Whether these look like messages: every element has a role.
    static func areMessages(_ tree: JSONTree) -> Bool {
        let elements = tree.elements
        return !elements.isEmpty && elements.allSatisfy { $0["role"] != nil }
    }

    /// OpenTelemetry's instructions to the model: a text, or a list of parts.
    static func system(_ tree: JSONTree) -> JSONTree {
        let parts = tree.elements.isEmpty ? [] : tree.elements.map(block)
        return .fields(["role": .text("system"), "content": parts.isEmpty ? tree : content(parts)])
    }

    private static func message(_ tree: JSONTree, role: StaticString) -> [JSONTree] {
        guard case .object(let members) = tree else {
            return [.fields(["role": .string(JSONTree.Text(role)), "content": tree])]
        }
        if let parts = tree["parts"], case .array(let parts) = parts { return message(members, parts, role) }
        var result = members.map { member -> JSONTree.Member in
            guard member.key.equals("tool_calls") || member.key.equals("contents"), let list = list(member.value) else {
                return member
            }
            if member.key.equals("tool_calls") { return (member.key, .array(list.map(toolCall))) }
            return (JSONTree.Text("content"), content(list.map(block)))
        }
        if tree["role"] == nil { result.insert((JSONTree.Text("role"), .string(JSONTree.Text(role))), at: 0) }
        return [.object(result)]
    }

    /// The elements of a list, which in an attribute is the text of one; nil where it is neither.
    private static func list(_ tree: JSONTree) -> [JSONTree]? {
        switch tree {
        case .array(let elements): elements
        case .string(.plain(let text)): JSONTreeReader.container(text).flatMap { $0.isObject ? nil : $0.elements }
        default: nil
        }
    }

    /// OpenTelemetry's messages, semantic conventions 1.37 and later. What a tool has answered is a message of its own.
    private static func message(_ members: [JSONTree.Member], _ parts: [JSONTree], _ role: StaticString) -> [JSONTree] {
        var blocks: [JSONTree] = []
        var calls: [JSONTree] = []
        var answers: [JSONTree] = []
        for part in parts {
            switch part["type"]?.asText {
            case "tool_call": calls.append(toolCall(part))
            case "tool_call_response":
                answers.append(
                    .fields([
                        "role": .text("tool"), "tool_call_id": part["id"] ?? .null,
                        "content": asText(part["response"] ?? part["result"] ?? .null),
                    ]))
            default: blocks.append(block(part))
            }
        }
        guard !blocks.isEmpty || !calls.isEmpty || answers.isEmpty else { return answers }
        var result = members.filter { !$0.key.equals("parts") }
        if !result.contains(where: { $0.key.equals("role") }) {
            result.append((JSONTree.Text("role"), .string(JSONTree.Text(role))))
        }
        result.append((JSONTree.Text("content"), content(blocks)))
        if !calls.isEmpty { result.append((JSONTree.Text("tool_calls"), .array(calls))) }
        return [.object(result)] + answers
    }

    /// A single text is the content itself.
    private static func content(_ blocks: [JSONTree]) -> JSONTree {
        if blocks.isEmpty { return .text("") }
        if blocks.count == 1, blocks[0]["type"]?.asText == "text", let text = blocks[0]["text"] { return text }
        return .array(blocks)
    }

    /// A part of a content. Files that travel inside are left out, with a note.
    private static func block(_ part: JSONTree) -> JSONTree {
        switch part["type"]?.asText {
        case "text":
            return .fields(["type": .text("text"), "text": part["content"] ?? part["text"] ?? .null])
        case "reasoning":
            return .fields([
                "type": .text("reasoning"), "reasoning": part["content"] ?? part["reasoning"] ?? .null,
            ])
        case "blob":
            let kind = part["mime_type"]?.asText ?? part["modality"]?.asText ?? "file"
            let size = (part["content"] ?? part["data"])?.asText?.utf8.count ?? 0
            return .fields([
                "type": .text("text"), "text": .text("[\(kind), \(size) characters of base64, left out]"),
            ])
        case "uri":
            return .fields([
                "type": .text("image_url"), "image_url": .fields(["url": part["uri"] ?? .null]),
            ])
        case "image":
            guard let url = part["image"]?["image"]?["url"] ?? part["image"]?["url"] else { return part }
            return .fields(["type": .text("image_url"), "image_url": .fields(["url": url])])
        default: return part
        }
    }

    private static func toolCall(_ call: JSONTree) -> JSONTree {
        guard call.isObject else { return call }
        if let function = call["function"] {
            let arguments = asText(function["arguments"] ?? .null)
            return .fields([
                "id": call["id"] ?? .null, "type": .text("function"),
                "function": .fields(["name": function["name"] ?? .null, "arguments": arguments]),
            ])
        }
        guard let name = call["name"] ?? call["toolName"] else { return call }
        let arguments = call["arguments"] ?? call["args"] ?? call["input"] ?? .null
        return .fields([
            "id": call["id"] ?? call["toolCallId"] ?? .null, "type": .text("function"),
            "function": .fields(["name": name, "arguments": asText(arguments)]),
        ])
    }

    /// OpenAI has arguments and answers as text, which then is JSON.
    private static func asText(_ tree: JSONTree) -> JSONTree {
        switch tree {
        case .string: return tree
        case .null: return .text("")
        default:
            var writer = JSONWriter(capacity: 256)
            writer.value(tree)
            return .text(String(decoding: writer.written, as: UTF8.self))
        }
    }
}
