/// Makes an OTLP/JSON request of what a page has sent: events, or OTLP/JSON of its own. `docs/beacon.md` has the form
/// of events and which field of a span is made of what.
struct BeaconTranslation {
    /// Of OTLP/JSON: resources, scopes, spans and events of spans, of each so many.
    static let maximumEvents = 1_000
    static let scope = "weir.beacon"
    /// Bytes of an event's or a session's name.
    static let maximumName = 128
    static let longest = 86_400_000.0
    /// The smallest share that a page may say it sends: one event then counts as this many.
    static let leastRate = 0.001

    private let screen: BeaconScreen
    private let receivedAt: Timestamp
    private let origin: String
    /// What is added to the client's times, in nanoseconds; zero where its clock is right enough.
    private let skew: Int64
    private(set) var tally = BeaconTally()
    /// Whether each event has an id, so that the request can be told from another with the same events.
    private(set) var isNamed = true

    /// - Parameters:
    ///   - sentAt: what the client's clock said when it sent the request, in milliseconds since 1970.
    ///   - origin: of the page; empty where none was said.
    init(
        _ screen: BeaconScreen, receivedAt: Timestamp, sentAt: Double?, tolerance: Duration, origin: String
    ) {
        self.screen = screen
        self.receivedAt = receivedAt
        self.origin = origin
        var skew: Int64 = 0
        if let sent = sentAt.flatMap(Self.nanoseconds), receivedAt.nanoseconds <= Int64.max {
            skew = Int64(receivedAt.nanoseconds) - Int64(sent)
        }
        self.skew = Duration.nanoseconds(Int64(skew.magnitude)) > tolerance ? skew : 0
    }

    mutating func translate(_ body: UnsafeRawBufferPointer) throws(Intake.Failure) -> Payload {
        guard let tree = JSONTreeReader.container(body), tree.isObject else {
            throw Self.malformed("found no JSON object, wanted events or OTLP/JSON")
        }
        let resources: [JSONTree]
        if let events = tree["events"] {
            resources = [try resource(of: tree, events: events.elements)]
        } else if let groups = tree["resourceSpans"] {
            try Self.check(groups.elements)
            resources = groups.elements.map { resource($0) }
        } else {
            throw Self.malformed("found neither events nor resourceSpans, wanted one of them")
        }
        var writer = JSONWriter(capacity: body.count * 2)
        writer.value(.fields(["resourceSpans": .array(resources)]))
        if tally.taken == 0, let example = tally.example { throw Self.malformed(example) }
        return Payload.copying(writer.written)
    }

    private static func malformed(_ reason: String) -> Intake.Failure {
        .undecodable(.malformed(reason, offset: 0))
    }

    /// Milliseconds since 1970 as nanoseconds; nil for what is no time of this century or the next.
    private static func nanoseconds(_ milliseconds: Double) -> UInt64? {
        guard milliseconds > 0, milliseconds < 7e12 else { return nil }
        return UInt64((milliseconds * 1_000).rounded()) * 1_000
    }

    private func shifted(_ nanoseconds: UInt64) -> UInt64 {
        guard nanoseconds > 0, skew != 0 else { return nanoseconds }
        let (sum, overflow) = Int64(clamping: nanoseconds).addingReportingOverflow(skew)
        return overflow || sum < 0 ? nanoseconds : UInt64(sum)
    }
}

// MARK: - Events

extension BeaconTranslation {
    private mutating func resource(of tree: JSONTree, events: [JSONTree]) throws(Intake.Failure) -> JSONTree {
        guard events.count <= Self.maximumEvents else {
            throw Self.malformed("found \(events.count) events, wanted \(Self.maximumEvents) at most")
        }
        let rate = tree["rate"]?.number ?? 1
        let session = tree["session"]?.asText ?? ""
        guard session.utf8.count <= Self.maximumName, rate >= Self.leastRate, rate <= 1 else {
            throw Self.malformed(
                "found a session of more than \(Self.maximumName) bytes or a rate outside "
                    + "\(Self.leastRate)...1, wanted less")
        }
        let spans = events.compactMap { span(of: $0, session, rate) }
        let attributes = screen.screen(Self.scalars(of: tree["resource"]?.members ?? []), &tally)
        return .fields([
            "resource": .fields(["attributes": Self.list(attributes)]),
            "scopeSpans": .array([
                .fields(["scope": .fields(["name": .text(Self.scope)]), "spans": .array(spans)])
            ]),
        ])
    }

    private mutating func span(of event: JSONTree, _ session: String, _ rate: Double) -> JSONTree? {
        guard let name = event["name"]?.asText, (1...Self.maximumName).contains(name.utf8.count) else {
            tally.refuse(.malformed, "found an event without a name of 1...\(Self.maximumName) bytes")
            return nil
        }
        guard let start = start(of: event) else {
            tally.refuse(.malformed, "\(name.quotedForMessage): found a time that is no milliseconds since 1970")
            return nil
        }
        let trace = event["trace"]?.asText ?? Self.hexadecimal(words: 2)
        let given = Self.scalars(of: event["attributes"]?.members ?? [])
        guard
            let attributes = screen.screen(
                name, given, session: session.isEmpty ? trace : session, rate: rate, &tally)
        else { return nil }
        let id = event["id"]?.asText
        if id == nil { isNamed = false }
        let duration = min(max(event["duration"]?.number ?? 0, 0), Self.longest)
        var span: [(StaticString, JSONTree)] = [
            ("traceId", .text(trace)), ("spanId", .text(id ?? Self.hexadecimal(words: 1))), ("name", .text(name)),
            ("kind", .int(event["kind"]?.asText == "client" ? 3 : 1)),
            ("startTimeUnixNano", .text("\(start)")),
            ("endTimeUnixNano", .text("\(start + UInt64(duration * 1_000) * 1_000)")),
        ]
        if let parent = event["parent"]?.asText { span.append(("parentSpanId", .text(parent))) }
        var own = stamps
        if !session.isEmpty { own.append(("session.id", .text(session))) }
        if let error = event["error"] {
            span.append(("status", .fields(["code": .int(2)])))
            if let type = error.asText, type.utf8.count <= Self.maximumName { own.append(("error.type", .text(type))) }
        }
        let rest = attributes.filter { attribute in !own.contains { $0.key == attribute.key } }
        span.append(("attributes", Self.list(rest + own)))
        return .fields(span)
    }

    private func start(of event: JSONTree) -> UInt64? {
        guard let time = event["time"] else { return receivedAt.nanoseconds }
        return time.number.flatMap(Self.nanoseconds).map(shifted)
    }

    /// What Weir knows of the client.
    private var stamps: [BeaconScreen.Attribute] {
        var stamps: [BeaconScreen.Attribute] = []
        if !origin.isEmpty { stamps.append(("browser.origin", .text(origin))) }
        if skew != 0 { stamps.append(("browser.clock_skew_ms", .int(skew / 1_000_000))) }
        return stamps
    }

    private static func hexadecimal(words: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<words).map { _ in UInt64.random(in: 1 ... .max, using: &generator).digits(16, radix: 16) }.joined()
    }

    private static func scalars(of members: [JSONTree.Member]) -> [BeaconScreen.Attribute] {
        members.compactMap { member in
            switch member.value {
            case .string, .bool, .number: (member.key.string, member.value)
            default: nil
            }
        }
    }

    private static func list(_ attributes: [BeaconScreen.Attribute]) -> JSONTree {
        .array(attributes.map { .fields(["key": .text($0.key), "value": value($0.value)]) })
    }

    private static func value(_ scalar: JSONTree) -> JSONTree {
        switch scalar {
        case .bool: .fields(["boolValue": scalar])
        case .int: .fields(["intValue": scalar])
        case .double: .fields(["doubleValue": scalar])
        case .number(let text) where Int64(String(decoding: text, as: UTF8.self)) != nil:
            .fields(["intValue": .string(.plain(text))])
        case .number: .fields(["doubleValue": scalar])
        default: .fields(["stringValue": scalar])
        }
    }
}

// MARK: - OTLP/JSON

extension BeaconTranslation {
    /// Each of them costs more to look at than it has bytes.
    private static func check(_ resources: [JSONTree]) throws(Intake.Failure) {
        let scopes = resources.flatMap { $0["scopeSpans"]?.elements ?? [] }
        let spans = scopes.flatMap { $0["spans"]?.elements ?? [] }
        let events = spans.flatMap { $0["events"]?.elements ?? [] }
        for (what, found) in [("resources", resources), ("scopes", scopes), ("spans", spans), ("span events", events)]
        where found.count > maximumEvents {
            throw malformed("found \(found.count) \(what), wanted \(maximumEvents) at most")
        }
    }

    private mutating func resource(_ group: JSONTree) -> JSONTree {
        let attributes = screen.screen(Self.scalars(in: group["resource"]), &tally)
        var scopes: [JSONTree] = []
        for scope in group["scopeSpans"]?.elements ?? [] {
            var spans: [JSONTree] = []
            for span in scope["spans"]?.elements ?? [] {
                if let span = self.span(span) { spans.append(span) }
            }
            let name = scope["scope"]?["name"]?.asText ?? ""
            scopes.append(
                .fields(["scope": .fields(["name": .text(name == Self.scope ? "" : name)]), "spans": .array(spans)]))
        }
        return .fields([
            "resource": .fields(["attributes": Self.list(attributes)]), "scopeSpans": .array(scopes),
        ])
    }

    private mutating func span(_ span: JSONTree) -> JSONTree? {
        let name = span["name"]?.asText ?? ""
        let given = Self.scalars(in: span)
        let session = given.first { $0.key == "session.id" }?.value.asText ?? span["traceId"]?.asText ?? ""
        guard let attributes = screen.screen(name, given, session: session, rate: 1, &tally) else { return nil }
        let stamps = stamps
        let rest = attributes.filter { attribute in !stamps.contains { $0.key == attribute.key } }
        // Each once: of a name that stands twice the decoder takes the last, which nobody has looked at.
        var fields: [(StaticString, JSONTree)] = []
        for key in Self.kept {
            if let value = span[key] { fields.append((key, value)) }
        }
        for key in Self.times {
            if let value = span[key] { fields.append((key, time(value))) }
        }
        if let state = span["traceState"], isModest(state) { fields.append(("traceState", state)) }
        if let code = span["status"]?["code"] { fields.append(("status", .fields(["code": code]))) }
        if let events = span["events"] { fields.append(("events", .array(events.elements.map { event($0) }))) }
        fields.append(("attributes", Self.list(rest + stamps)))
        return .fields(fields)
    }

    private static let kept: [StaticString] = ["traceId", "spanId", "parentSpanId", "name", "kind", "flags"]
    private static let times: [StaticString] = ["startTimeUnixNano", "endTimeUnixNano"]

    /// Whether a span of this trace state counts as no more than ``leastRate`` lets it.
    private func isModest(_ state: JSONTree) -> Bool {
        var text = state.asText ?? ""
        return text.withUTF8 { bytes in
            guard let state = TraceState(UnsafeRawBufferPointer(bytes)) else { return false }
            return state.threshold.map { $0.adjustedCount <= 1 / Self.leastRate } ?? true
        }
    }

    private mutating func event(_ event: JSONTree) -> JSONTree {
        let attributes = screen.screen(Self.scalars(in: event), &tally)
        return .fields([
            "name": event["name"] ?? .text(""), "timeUnixNano": time(event["timeUnixNano"] ?? .int(0)),
            "attributes": Self.list(attributes),
        ])
    }

    private func time(_ tree: JSONTree) -> JSONTree {
        let text: String
        switch tree {
        case .string(let digits): text = digits.string
        case .number(let digits): text = String(decoding: digits, as: UTF8.self)
        default: return tree
        }
        return UInt64(text).map { .text("\(shifted($0))") } ?? tree
    }

    /// The attributes of a resource, a span or an event; arrays and the like are left out.
    private static func scalars(in owner: JSONTree?) -> [BeaconScreen.Attribute] {
        (owner?["attributes"]?.elements ?? []).compactMap { pair in
            guard let key = pair["key"]?.asText, let member = pair["value"]?.members.first else { return nil }
            switch (member.key.string, member.value) {
            case ("stringValue", .string), ("boolValue", .bool), ("doubleValue", .number): return (key, member.value)
            case ("intValue", .number): return (key, member.value)
            case ("intValue", .string(let digits)):
                return Int64(digits.string).map { (key, .int($0)) }
            default: return nil
            }
        }
    }
}

extension JSONTree {
    /// The number, where it is one.
    fileprivate var number: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }
}
