/// Writes spans as runs, one behind the other, until it is reset. `docs/langsmith.md` says what becomes what.
struct RunWriter: ~Copyable {
    /// An older server refuses a longer name.
    static let maxName = 128
    static let maxTags = 64

    var json = JSONWriter(capacity: 256 << 10)
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
        writeHead(span, place, kind, shown, batch, rules)
        var run = WrittenRun(place: place, tenant: batch.tenant, head: start..<json.count, fields: [])
        run.fields.reserveCapacity(RunField.allCases.count)
        let content = GenAIContent(of: span, genAI, in: batch)
        write(.inputs, of: &run) { $0.value(rules.hidesInputs ? .fields([:]) : content.inputs ?? .fields([:])) }
        write(.outputs, of: &run) { json in
            // LangSmith reads counts from here, whether there is content or not.
            var members = rules.hidesOutputs ? [] : content.outputs?.members ?? []
            if let usage = usage.tree, !members.contains(where: { $0.key.equals("usage_metadata") }) {
                members.append((JSONTree.Text("usage_metadata"), usage))
            }
            json.value(.object(members))
        }
        let events = RunEvents(of: span, genAI, in: batch)
        if !events.isEmpty { write(.events, of: &run) { events.write(to: &$0, batch) } }
        let metadata = RunMetadata(of: span, genAI, in: batch)
        write(.extra, of: &run) { json in
            json.raw("{\"metadata\":{")
            metadata.write(to: &json, place, shown.count < name.count ? name : nil, usage.tree, rules, batch)
            json.raw("}")
            metadata.writeParameters(to: &json, batch)
            json.raw("}")
        }
        if let error = events.error(of: span, batch) { write(.error, of: &run) { $0.string(error) } }
        return run
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
        json.member("session_name", .text(rules.project))
        json.dropComma()
        json.raw("}")
        var root = WrittenRun(place: place, tenant: run.tenant, head: start..<json.count, fields: [])
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
        _ span: SpanRecord, _ place: RunPlace, _ kind: RunKind, _ name: UnsafeRawBufferPointer,
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
        let tags = self.tags(of: batch)
        if !tags.isEmpty { json.member("tags", .array(tags.prefix(Self.maxTags).map(JSONTree.text))) }
        json.member("session_name", .string(project(of: span, batch) ?? .own(rules.project)))
        json.dropComma()
        json.raw("}")

        func project(of span: SpanRecord, _ batch: borrowing Batch) -> JSONTree.Text? {
            if let own = genAI.text(.project, of: batch) { return .plain(own) }
            guard let key = rules.projectKey else { return nil }
            let resource = batch.resource(of: span).attributes
            guard
                case .string(let text)? = batch.value(of: key, in: span.attributes)
                    ?? batch.value(of: key, in: resource), !text.isEmpty
            else { return nil }
            return .plain(text)
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
    private func tags(of batch: borrowing Batch) -> [String] {
        switch genAI.value(.tags, of: batch) {
        case .string(let text)?:
            String(decoding: text, as: UTF8.self).split(separator: ",").map { $0.trimmingSpaces }
                .filter { !$0.isEmpty }
        case .array(let values)?: values.compactMap { JSONTree($0).asText }
        default: []
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
