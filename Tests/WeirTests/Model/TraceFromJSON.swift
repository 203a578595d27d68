import Foundation

@testable import Weir

// What OTLP/JSON says, as Foundation reads it.

/// The JSON is not what OTLP/JSON demands, at this place.
struct UnexpectedJSON: Error {
    let what: String
}

extension Trace {
    init(json bytes: [UInt8]) throws {
        // Not JSONSerialization: it reads some doubles a unit in the last place off.
        let document = try JSONObject(JSONDecoder().decode(JSONTree.self, from: Data(bytes)).value)
        groups = try document.list("resourceSpans").map { try ResourceGroup($0) }
        try document.expectNothingElse(than: ["resourceSpans"])
    }
}

/// Any JSON value: a dictionary, array, string, number or flag.
private struct JSONTree: Decodable {
    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    let value: Any

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Key.self) {
            var members: [String: Any] = [:]
            for key in object.allKeys { members[key.stringValue] = try object.decode(JSONTree.self, forKey: key).value }
            value = members
        } else if let array = try? [JSONTree](from: decoder) {
            value = array.map(\.value)
        } else {
            let single = try decoder.singleValueContainer()
            if let text = try? single.decode(String.self) {
                value = text
            } else if let flag = try? single.decode(Bool.self) {
                value = flag
            } else {
                value = try single.decode(Double.self)
            }
        }
    }
}

/// An object whose members are asked for by name and type. A missing one is the default.
private struct JSONObject {
    let members: [String: Any]

    init(_ value: Any) throws {
        guard let members = value as? [String: Any] else { throw UnexpectedJSON(what: "\(value) is no object") }
        self.members = members
    }

    func expectNothingElse(than names: Set<String>) throws {
        let others = Set(members.keys).subtracting(names)
        guard others.isEmpty else { throw UnexpectedJSON(what: "unknown members \(others)") }
    }

    func get<Value>(_ name: String, default value: Value) throws -> Value {
        guard let found = members[name] else { return value }
        guard let typed = found as? Value else { throw UnexpectedJSON(what: "\(name): \(found) is no \(Value.self)") }
        return typed
    }

    func text(_ name: String) throws -> Trace.Text { Array(try get(name, default: "").utf8) }
    func count(_ name: String) throws -> UInt32 { UInt32(try get(name, default: 0.0)) }
    func list(_ name: String) throws -> [JSONObject] { try get(name, default: [Any]()).map { try JSONObject($0) } }
    func texts(_ name: String) throws -> [Trace.Text] {
        try get(name, default: [Any]()).map { Array(($0 as? String ?? "").utf8) }
    }
    func object(_ name: String) throws -> JSONObject? { try members[name].map { try JSONObject($0) } }
    func attributes() throws -> [Trace.Attribute] { try list("attributes").map { try Trace.Attribute($0) } }

    /// Numbers of 64 bits are strings.
    func number<Integer: FixedWidthInteger>(_ name: String) throws -> Integer {
        let text = try get(name, default: "0")
        guard let value = Integer(text) else { throw UnexpectedJSON(what: "\(name): \(text)") }
        return value
    }

    func identifier(_ name: String) throws -> [UInt8] {
        let digits = Array(try get(name, default: ""))
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            guard let byte = UInt8(String(digits[index..<index + 2]), radix: 16) else {
                throw UnexpectedJSON(what: "\(name): \(String(digits))")
            }
            return byte
        }
    }
}

extension Trace.ResourceGroup {
    fileprivate init(_ json: JSONObject) throws {
        resource = try json.object("resource").map { try Trace.Resource($0) }
        scopes = try json.list("scopeSpans").map { try Trace.ScopeGroup($0) }
        schemaURL = try json.text("schemaUrl")
        try json.expectNothingElse(than: ["resource", "scopeSpans", "schemaUrl"])
    }
}

extension Trace.Resource {
    fileprivate init(_ json: JSONObject) throws {
        attributes = try json.attributes()
        dropped = try json.count("droppedAttributesCount")
        entities = try json.list("entityRefs").map { entity in
            Trace.Entity(
                schemaURL: try entity.text("schemaUrl"), type: try entity.text("type"),
                idKeys: try entity.texts("idKeys"), descriptionKeys: try entity.texts("descriptionKeys"))
        }
        try json.expectNothingElse(than: ["attributes", "droppedAttributesCount", "entityRefs"])
    }
}

extension Trace.ScopeGroup {
    fileprivate init(_ json: JSONObject) throws {
        scope = try json.object("scope").map { scope in
            Trace.Scope(
                name: try scope.text("name"), version: try scope.text("version"), attributes: try scope.attributes(),
                dropped: try scope.count("droppedAttributesCount"))
        }
        spans = try json.list("spans").map { try Trace.Span($0) }
        schemaURL = try json.text("schemaUrl")
        try json.expectNothingElse(than: ["scope", "spans", "schemaUrl"])
    }
}

extension Trace.Span {
    fileprivate init(_ json: JSONObject) throws {
        traceID = try json.identifier("traceId")
        spanID = try json.identifier("spanId")
        parentSpanID = try json.identifier("parentSpanId")
        traceState = try json.text("traceState")
        flags = try json.count("flags")
        name = try json.text("name")
        kind = Int32(try json.count("kind"))
        start = try json.number("startTimeUnixNano")
        end = try json.number("endTimeUnixNano")
        attributes = try json.attributes()
        droppedAttributes = try json.count("droppedAttributesCount")
        events = try json.list("events").map { event in
            Trace.Event(
                time: try event.number("timeUnixNano"), name: try event.text("name"),
                attributes: try event.attributes(), dropped: try event.count("droppedAttributesCount"))
        }
        droppedEvents = try json.count("droppedEventsCount")
        links = try json.list("links").map { try Trace.Link($0) }
        droppedLinks = try json.count("droppedLinksCount")
        status = try json.object("status").map {
            Trace.Status(message: try $0.text("message"), code: Int32(try $0.count("code")))
        }
    }
}

extension Trace.Link {
    fileprivate init(_ json: JSONObject) throws {
        self.init(
            traceID: try json.identifier("traceId"), spanID: try json.identifier("spanId"),
            traceState: try json.text("traceState"), attributes: try json.attributes(),
            dropped: try json.count("droppedAttributesCount"), flags: try json.count("flags"))
    }
}

extension Trace.Attribute {
    fileprivate init(_ json: JSONObject) throws {
        key = try json.text("key")
        value = try json.object("value").map { try Trace.Value($0) }
        try json.expectNothingElse(than: ["key", "value"])
    }
}

extension Trace.Value {
    fileprivate init(_ json: JSONObject) throws {
        guard let name = json.members.keys.first else { return }
        guard json.members.count == 1 else { throw UnexpectedJSON(what: "\(json.members)") }
        switch name {
        case "stringValue": member = .string(try json.text(name))
        case "boolValue": member = .bool(try json.get(name, default: false))
        case "intValue": member = .int(try json.number(name))
        case "doubleValue": member = .double(try Trace.Value.double(json))
        case "bytesValue":
            guard let data = Data(base64Encoded: try json.get(name, default: "")) else {
                throw UnexpectedJSON(what: "\(json.members)")
            }
            member = .bytes(Array(data))
        case "arrayValue":
            let values = try json.object(name)?.list("values") ?? []
            member = .array(try values.map { try Trace.Value($0) }, unknown: [])
        case "kvlistValue":
            let pairs = try json.object(name)?.list("values") ?? []
            member = .kvlist(try pairs.map { try Trace.Attribute($0) }, unknown: [])
        default: throw UnexpectedJSON(what: name)
        }
    }

    private static func double(_ json: JSONObject) throws -> UInt64 {
        switch json.members["doubleValue"] {
        case let text as String:
            let words = ["NaN": Double.nan, "Infinity": .infinity, "-Infinity": -.infinity]
            guard let value = words[text] else { throw UnexpectedJSON(what: text) }
            return value.bitPattern
        case let number as Double: return number.bitPattern
        case let other: throw UnexpectedJSON(what: "\(String(describing: other))")
        }
    }
}
