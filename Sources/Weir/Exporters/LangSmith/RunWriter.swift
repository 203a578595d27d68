/// Writes spans as runs, one behind the other, until it is reset. `docs/langsmith.md` says what becomes what.
struct RunWriter: ~Copyable {
    /// An older server refuses a longer name.
    static let maxName = 128
    static let maxTags = 64
    /// Characters of a tag.
    static let maxTag = 256

    private static let example = AttributeKey("langsmith.reference_example_id")

    var json = JSONWriter(capacity: 256 << 10, replacesNUL: true)
    private var genAI = GenAIAttributes()

    init() {}

    var written: UnsafeRawBufferPointer { json.written }

    mutating func reset() {
        json.reset(keeping: 4 << 20)
    }

    /// Writes a complete run.
    mutating func write(
        _ index: Int, at place: RunPlace, of batch: borrowing Batch, _ rules: RunRules
    ) -> WrittenRun {
        let span = batch.spans[index]
        genAI.find(in: span.attributes, of: batch)
        let kind = RunKind(of: span, genAI, in: batch)
        let name = self.name(of: span, kind, batch)
        let shown = Self.beginning(of: name)
        let usage = RunUsage(of: span, genAI, in: batch)
        let start = json.count
        let (tags, areWhole) = tags(of: batch)
        writeHead(span, place, kind, shown, tags, batch, rules)
        var run = WrittenRun(place: place, head: start..<json.count, fields: [])
        if !areWhole { run.trimmed.append("tags") }
        run.fields.reserveCapacity(RunField.allCases.count)
        let content = GenAIContent(of: span, genAI, in: batch)
        write(.inputs, of: &run) { $0.value(rules.hidesInputs ? .fields([:]) : content.inputs ?? .fields([:])) }
        write(.outputs, of: &run) { json in
            // LangSmith reads counts from here, whether there is content or not.
            var members = rules.hidesOutputs ? [] : content.outputs?.members ?? []
            if let usage = usage.tree, !members.contains(where: Self.areCounts) {
                members.removeAll { $0.key.equals("usage_metadata") }
                members.append((JSONTree.Text("usage_metadata"), usage))
            }
            json.value(.object(members))
        }
        let events = RunEvents(of: span, genAI, in: batch)
        if !events.isEmpty { write(.events, of: &run) { events.write(to: &$0, rules, batch) } }
        let metadata = RunMetadata(of: span, genAI, in: batch)
        let surroundings = RunSurroundings(of: span, isRoot: place.parent == nil, in: batch)
        run.trimmed += surroundings.trimmed
        let trimmed = run.trimmed
        write(.extra, of: &run) { json in
            json.raw("{\"metadata\":{")
            metadata.write(
                to: &json, place, shown.count < name.count ? name : nil, usage, surroundings, trimmed: trimmed, rules,
                batch)
            json.raw("}")
            metadata.writeParameters(to: &json, rules, batch)
            metadata.writeRuntime(to: &json, batch)
            json.raw("}")
        }
        if let error = events.error(of: span, batch) { write(.error, of: &run) { $0.string(error) } }
        return run
    }

    /// Whether a sender's own counts are of use.
    private static func areCounts(_ member: JSONTree.Member) -> Bool {
        member.key.equals("usage_metadata")
            && member.value.members.contains {
                switch $0.value {
                case .number, .int, .double: true
                default: false
                }
            }
    }

    /// Writes the stand-in for a root that is missing. It has no end, so LangSmith shows it as pending.
    mutating func writeStandIn(of run: WrittenRun, _ rules: RunRules) -> WrittenRun {
        let place = run.place.root
        let start = json.count
        json.raw("{")
        writeIDs(place)
        json.member("name", .text("(root not seen yet)"))
        json.member("run_type", .text("chain"))
        json.key("start_time")
        json.time(microseconds: place.start)
        json.raw(",")
        writeProject(place, rules)
        json.dropComma()
        json.raw("}")
        var root = WrittenRun(place: place, head: start..<json.count, fields: [], isStandIn: true)
        write(.inputs, of: &root) { $0.raw("{}") }
        return root
    }

    @inline(__always)
    private mutating func write(_ field: RunField, of run: inout WrittenRun, _ body: (inout JSONWriter) -> Void) {
        let start = json.count
        body(&json)
        run.fields.append((field, start..<json.count))
    }

    private mutating func writeIDs(_ place: RunPlace) {
        json.raw("\"id\":\"")
        json.uuid(place.id)
        json.raw("\",\"trace_id\":\"")
        json.uuid(place.trace)
        if let parent = place.parent {
            json.raw("\",\"parent_run_id\":\"")
            json.uuid(parent)
        }
        json.raw("\",\"dotted_order\":\"")
        json.dottedOrder(place.path)
        json.raw("\",")
    }

    private mutating func writeHead(
        _ span: SpanRecord, _ place: RunPlace, _ kind: RunKind, _ name: UnsafeRawBufferPointer, _ tags: [String],
        _ batch: borrowing Batch, _ rules: RunRules
    ) {
        json.raw("{")
        writeIDs(place)
        json.member("name", name.isEmpty ? .text(kind.rawValue) : .string(.plain(name)))
        json.member("run_type", .text(kind.rawValue))
        json.key("start_time")
        json.time(microseconds: place.start)
        json.raw(",")
        json.key("end_time")
        json.time(microseconds: max(place.start, span.endTime / 1_000))
        json.raw(",")
        if !tags.isEmpty { json.member("tags", .array(tags.map(JSONTree.text))) }
        if case .string(let text)? = batch.value(of: Self.example, in: span.attributes), text.count == 36,
            case let id = String(decoding: text, as: UTF8.self), LangSmithTarget.isUUID(id)
        {
            json.member("reference_example_id", .text(id))
        }
        writeProject(place, rules)
        json.dropComma()
        json.raw("}")
    }

    private mutating func writeProject(_ place: RunPlace, _ rules: RunRules) {
        switch place.project {
        case .id(let id)?: json.member("session_id", .text(id))
        case .name(let name)?: json.member("session_name", .text(name))
        case nil: json.member("session_name", .text(rules.project))
        }
    }
}

// MARK: - Names and tags

extension RunWriter {
    /// Empty where nothing has a name.
    private func name(
        of span: SpanRecord, _ kind: RunKind, _ batch: borrowing Batch
    ) -> UnsafeRawBufferPointer {
        genAI.text(.title, of: batch)
            ?? (kind == .tool ? genAI.text(.tool, of: batch) : nil)
            ?? (genAI.operation(of: batch) == .agent ? genAI.text(.agent, of: batch) : nil)
            ?? batch.bytes(span.name)
    }

    /// As many characters as a name may have.
    private static func beginning(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard name.count > maxName else { return name }
        var characters = 0
        let end = name.firstIndex { byte in
            if byte & 0xC0 != 0x80 { characters += 1 }
            return characters > maxName
        }
        return UnsafeRawBufferPointer(rebasing: name[..<(end ?? name.count)])
    }

    /// LangSmith's own are one text with commas, OpenInference's a list.
    private func tags(of batch: borrowing Batch) -> (tags: [String], areWhole: Bool) {
        let all: [String] =
            switch genAI.value(.tags, of: batch) {
            case .string(let text)?:
                String(decoding: text, as: UTF8.self).split(separator: ",").map { $0.trimmingSpaces }
                    .filter { !$0.isEmpty }
            case .array(let values)?: values.compactMap { JSONTree($0).asText }
            default: []
            }
        let tags = all.prefix(Self.maxTags).map { String($0.unicodeScalars.prefix(Self.maxTag)) }
        return (tags, tags == all)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
