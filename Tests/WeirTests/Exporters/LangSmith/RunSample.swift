import Testing

@testable import Weir

/// A span as the run that is sent of it.
struct RunSample {
    let id: String
    let size: Int
    /// Everywhere names are different, and no text has a U+0000.
    let isStrict: Bool
    private let head: [UInt8]
    private let fields: [(name: String, text: [UInt8])]

    /// - Parameters:
    ///   - place: that of a root unless given.
    ///   - limit: the bytes that it may have.
    init(
        _ span: SpanFixture, hidesInputs: Bool = false, hidesOutputs: Bool = false, at place: RunPlace? = nil,
        limit: Int = .max, edit: (inout Batch) -> Void = { _ in }
    ) throws {
        var batch = try SpanFixture.batch([span])
        edit(&batch)
        let rules = RunRules(hidesInputs: hidesInputs, hidesOutputs: hidesOutputs, project: "shop")
        let trace = TraceKey(tenant: "default", high: span.traceID.high, low: span.traceID.low)
        let own = RunPlace(
            path: [.init(id: RunIDs(trace).root, start: span.startTime / 1_000)],
            project: RunProject(of: batch.spans[0], nil, batch))
        var writer = RunWriter()
        var run = writer.write(0, at: place ?? own, of: batch, rules)
        if run.size > limit { _ = writer.trim(&run, to: limit) }
        size = run.size
        isStrict = ([run.head] + run.fields.map(\.range)).allSatisfy { Self.isStrict(writer.written[$0]) }
        head = Array(writer.written[run.head])
        fields = run.fields.map { ("\($0.field.name)", Array(writer.written[$0.range])) }
        id = "\(run.place.id)"
    }

    /// The JSON of a part, with what is not of interest left out.
    func text(_ field: String) -> String {
        String(decoding: fields.first { $0.name == field }?.text ?? [], as: UTF8.self)
    }

    var main: String { String(decoding: head, as: UTF8.self) }

    /// A member of the metadata as JSON; nil where there is none.
    func metadata(_ key: StaticString) -> String? { member(key, of: "metadata") }

    func parameter(_ key: StaticString) -> String? { member(key, of: "invocation_params") }

    /// A member of the run itself.
    func member(_ key: StaticString) -> String? {
        head.withUnsafeBytes { JSONTreeReader.value($0)?[key].map(Self.text) }
    }

    private func member(_ key: StaticString, of group: StaticString) -> String? {
        let extra = fields.first { $0.name == "extra" }?.text ?? []
        return extra.withUnsafeBytes { JSONTreeReader.value($0)?[group]?[key].map(Self.text) }
    }

    private static func isStrict(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let tree = JSONTreeReader.value(UnsafeRawBufferPointer(rebasing: text)) else { return false }
        return isStrict(tree)
    }

    private static func isStrict(_ tree: JSONTree) -> Bool {
        switch tree {
        case .object(let members):
            Set(members.map(\.key.string)).count == members.count && members.allSatisfy { isStrict($0.value) }
        case .array(let elements): elements.allSatisfy { isStrict($0) }
        case .string(let text): !text.string.contains("\0")
        default: true
        }
    }

    private static func text(_ tree: JSONTree) -> String {
        var writer = JSONWriter(capacity: 256)
        writer.value(tree)
        return String(decoding: writer.written, as: UTF8.self)
    }
}
