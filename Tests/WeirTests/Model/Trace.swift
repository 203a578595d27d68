/// What a request says, as plain values, so that what two codecs make of it can be compared.
///
/// Texts are bytes, because two Swift strings are equal when they look equal; doubles are their bits, because NaN is
/// not equal to itself.
struct Trace: Equatable {
    typealias Text = [UInt8]

    var groups: [ResourceGroup] = []
    var unknown: [UnknownField] = []

    /// ResourceSpans
    struct ResourceGroup: Equatable {
        var resource: Resource?
        var scopes: [ScopeGroup] = []
        var schemaURL: Text = []
        var unknown: [UnknownField] = []
    }

    struct Resource: Equatable {
        var attributes: [Attribute] = []
        var dropped: UInt32 = 0
        var entities: [Entity] = []
        var unknown: [UnknownField] = []
    }

    struct Entity: Equatable {
        var schemaURL: Text = []
        var type: Text = []
        var idKeys: [Text] = []
        var descriptionKeys: [Text] = []
        var unknown: [UnknownField] = []
    }

    /// ScopeSpans
    struct ScopeGroup: Equatable {
        var scope: Scope?
        var spans: [Span] = []
        var schemaURL: Text = []
        var unknown: [UnknownField] = []
    }

    struct Scope: Equatable {
        var name: Text = []
        var version: Text = []
        var attributes: [Attribute] = []
        var dropped: UInt32 = 0
        var unknown: [UnknownField] = []
    }

    struct Span: Equatable {
        var traceID: [UInt8] = []
        var spanID: [UInt8] = []
        var traceState: Text = []
        var parentSpanID: [UInt8] = []
        var flags: UInt32 = 0
        var name: Text = []
        var kind: Int32 = 0
        var start: UInt64 = 0
        var end: UInt64 = 0
        var attributes: [Attribute] = []
        var droppedAttributes: UInt32 = 0
        var events: [Event] = []
        var droppedEvents: UInt32 = 0
        var links: [Link] = []
        var droppedLinks: UInt32 = 0
        var status: Status?
        var unknown: [UnknownField] = []
    }

    struct Event: Equatable {
        var time: UInt64 = 0
        var name: Text = []
        var attributes: [Attribute] = []
        var dropped: UInt32 = 0
        var unknown: [UnknownField] = []
    }

    struct Link: Equatable {
        var traceID: [UInt8] = []
        var spanID: [UInt8] = []
        var traceState: Text = []
        var attributes: [Attribute] = []
        var dropped: UInt32 = 0
        var flags: UInt32 = 0
        var unknown: [UnknownField] = []
    }

    struct Status: Equatable {
        var message: Text = []
        var code: Int32 = 0
        var unknown: [UnknownField] = []
    }

    /// KeyValue
    struct Attribute: Equatable {
        var key: Text = []
        var value: Value?
        var keyIndex: Int32 = 0
        var unknown: [UnknownField] = []
    }

    /// AnyValue
    struct Value: Equatable {
        var member = Member.empty
        var unknown: [UnknownField] = []
    }

    indirect enum Member: Equatable {
        case empty
        case string(Text)
        case bool(Bool)
        case int(Int64)
        case double(UInt64)
        case array([Value], unknown: [UnknownField])
        case kvlist([Attribute], unknown: [UnknownField])
        case bytes([UInt8])
        case index(Int32)
    }

    struct UnknownField: Equatable {
        var number: UInt32
        var wireType: UInt8
        /// What stands behind the tag, with the length of wire type 2.
        var bytes: [UInt8]
    }
}

extension Trace {
    /// All spans, in order.
    var spans: [Span] { groups.flatMap { $0.scopes.flatMap(\.spans) } }

    mutating func forEachSpan(_ change: (inout Span) -> Void) {
        for group in groups.indices {
            for scope in groups[group].scopes.indices {
                for span in groups[group].scopes[scope].spans.indices {
                    change(&groups[group].scopes[scope].spans[span])
                }
            }
        }
    }

    mutating func forEachAttribute(_ change: (inout Attribute) -> Void) {
        for group in groups.indices {
            groups[group].resource?.attributes.changeEach(change)
            for scope in groups[group].scopes.indices {
                groups[group].scopes[scope].scope?.attributes.changeEach(change)
            }
        }
        forEachSpan { span in
            span.attributes.changeEach(change)
            for event in span.events.indices { span.events[event].attributes.changeEach(change) }
            for link in span.links.indices { span.links[link].attributes.changeEach(change) }
        }
    }

    /// What the records of a batch can hold of it.
    var known: Trace {
        var trace = self
        trace.unknown = []
        for group in trace.groups.indices {
            trace.groups[group].unknown = []
            trace.groups[group].resource?.unknown = []
            for entity in trace.groups[group].resource?.entities.indices ?? 0..<0 {
                trace.groups[group].resource?.entities[entity].unknown = []
            }
            for scope in trace.groups[group].scopes.indices {
                trace.groups[group].scopes[scope].unknown = []
                trace.groups[group].scopes[scope].scope?.unknown = []
            }
        }
        trace.forEachSpan { $0.keepKnown() }
        trace.forEachAttribute { $0.keepKnown() }
        return trace
    }
}

extension Array {
    mutating func changeEach(_ change: (inout Element) -> Void) {
        for index in indices { change(&self[index]) }
    }
}

extension Trace.Span {
    mutating func keepKnown() {
        unknown = []
        if !(0...255).contains(kind) { kind = 0 }
        status?.unknown = []
        if let code = status?.code, !(0...255).contains(code) { status?.code = 0 }
        events.changeEach { $0.unknown = [] }
        links.changeEach { $0.unknown = [] }
    }
}

extension Trace.Attribute {
    mutating func keepKnown() {
        unknown = []
        keyIndex = 0
        var known = value ?? Trace.Value()
        known.keepKnown()
        value = known
    }
}

extension Trace.Value {
    mutating func keepKnown() {
        unknown = []
        switch member {
        case .index: member = .empty
        case .array(var values, _):
            values.changeEach { $0.keepKnown() }
            member = .array(values, unknown: [])
        case .kvlist(var pairs, _):
            pairs.changeEach { $0.keepKnown() }
            member = .kvlist(pairs, unknown: [])
        default: break
        }
    }
}
