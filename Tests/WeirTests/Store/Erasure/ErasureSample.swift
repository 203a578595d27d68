import Foundation
import Testing

@testable import Weir

/// Spans of a person and of others: those numbered 1, 2, 5 and 6 are the person's, or belong to the person's traces and
/// name nobody.
enum ErasureSample {
    static let person = "maria-4711"
    static let erased: [UInt64] = [1, 2, 5, 6]
    static let left: [UInt64] = [3, 4, 7]
    static let key = [UInt8](repeating: 7, count: 32)

    static func records() throws -> [JournalRecord] {
        func call(_ response: String) -> String {
            #","gen_ai.operation.name":"chat","gen_ai.request.model":"m","gen_ai.response.id":"\#(response)""#
        }
        return try [
            record(
                1, resource: "", [span(1, trace: "a", user: person, more: call("r-\(person)")), span(2, trace: "a")]),
            record(
                2, resource: "",
                [span(3, trace: "a", user: "bob", more: call("r3")), span(4, trace: "b", more: call("r4"))]),
            record(3, resource: #","enduser.id":"\#(person)""#, [span(5, trace: "c")]),
            record(4, resource: "", [span(6, trace: "d", event: person), span(7, trace: "e", user: "eve")]),
        ]
    }

    static func record(_ sequence: UInt64, resource: String, _ spans: [String]) throws -> JournalRecord {
        let attributes = attributes(#""service.name":"shop"\#(resource)"#)
        return try SampleBatch.record(
            json: #"{"resourceSpans":[{"resource":{"attributes":\#(attributes)},"scopeSpans":[{"spans":["#
                + spans.joined(separator: ",") + "]}]}]}", sequence: sequence)
    }

    static func span(
        _ id: UInt64, trace: String, user: String? = nil, event: String? = nil, more: String = ""
    ) -> String {
        let own = (user.map { #","user.id":"\#($0)""# } ?? "") + more
        let events = event.map {
            #","events":[{"name":"e","timeUnixNano":"1","attributes":\#(attributes(#""user.id":"\#($0)""#))}]"#
        }
        return #"{"traceId":"\#(String(repeating: trace, count: 32))","spanId":"\#(id.digits(16, radix: 16))","#
            + #""name":"span \#(id)","startTimeUnixNano":"START","endTimeUnixNano":"START","#
            + #""attributes":\#(attributes(#""n":"\#(id)"\#(own)"#))\#(events ?? "")}"#
    }

    /// OTLP's list of pairs for the members of an object of texts.
    private static func attributes(_ members: String) -> String {
        let object = try? JSONSerialization.jsonObject(with: Data("{\(members)}".utf8)) as? [String: String]
        let pairs = (object ?? [:]).sorted { $0.key < $1.key }.map {
            #"{"key":"\#($0.key)","value":{"stringValue":"\#($0.value)"}}"#
        }
        return "[\(pairs.joined(separator: ","))]"
    }

    /// Spans of one trace: of a person called weir1.x, of nobody, of one called weir1.y, and of ciphertext, which is
    /// nobody's name, also where it is longer than a column.
    static func named(by attribute: String) throws -> JournalRecord {
        let names = [
            "weir1.x", nil, "weir1.y", "weir1.5wEB" + String(repeating: "A", count: 64),
            "weir1.5wEB" + String(repeating: "A", count: 320),
        ]
        let spans = names.enumerated().map { index, name in
            span(UInt64(index) + 1, trace: "a", more: name.map { #","\#(attribute)":"\#($0)""# } ?? "")
        }
        return try record(1, resource: "", spans)
    }

    static func group(_ attribute: String = "user.id", _ names: [String] = [person]) -> ErasedSubjects.Group {
        let family = SubjectFamily(of: attribute)
        let hash = SubjectHash(key: key, tenant: "default", family)
        var group = ErasedSubjects.Group(tenant: "default", family: family, hash: hash)
        group.names = Set(names.map { hash.digest(of: Array($0.utf8)) })
        return group
    }

    static func matcher(_ attribute: String = "user.id", _ names: [String] = [person]) -> SubjectMatcher {
        SubjectMatcher(group(attribute, names))
    }

    static let traces = Set(["a", "c", "d"].compactMap { TraceID(String(repeating: $0, count: 32)) })
}

extension ArchiveErasure {
    /// Of all files.
    func traces(of matcher: SubjectMatcher) throws -> Set<TraceID> {
        var empty: Set<String> = []
        return try traces(of: matcher, &empty)
    }
}

extension TemporaryDirectory {
    /// The files that have these bytes somewhere.
    func files(with text: String) throws -> [String] {
        try files().filter { file in try contents(of: file).withUnsafeBytes { $0.hasText(Array(text.utf8)) } }
    }
}
