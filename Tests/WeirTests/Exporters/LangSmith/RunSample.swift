import Testing

@testable import Weir

/// A span as the run that is sent of it.
struct RunSample {
    let id: String
    private let head: [UInt8]
    private let fields: [(name: String, text: [UInt8])]

    /// - Parameter place: that of a root unless given.
    init(
        _ span: SpanFixture, hidesInputs: Bool = false, hidesOutputs: Bool = false, at place: RunPlace? = nil,
        edit: (inout Batch) -> Void = { _ in }
    ) throws {
        var batch = try SpanFixture.batch([span])
        edit(&batch)
        let rules = RunRules(hidesInputs: hidesInputs, hidesOutputs: hidesOutputs, project: "shop", projectKey: nil)
        let trace = TraceKey(tenant: "default", high: span.traceID.high, low: span.traceID.low)
        let own = RunPlace(path: [.init(id: RunIDs(trace).root, start: span.startTime / 1_000)])
        var writer = RunWriter()
        let run = writer.write(0, at: place ?? own, of: batch, rules)
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

    private static func text(_ tree: JSONTree) -> String {
        var writer = JSONWriter(capacity: 256)
        writer.value(tree)
        return String(decoding: writer.written, as: UTF8.self)
    }
}
