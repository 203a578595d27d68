/// An object of JSON in one line, member by member.
struct JSONLine {
    private(set) var text = "{"

    /// - Parameter json: what is JSON already; nil is `null`.
    mutating func add(_ name: StaticString, json: String?) { add("\(name)", json: json) }

    /// - Parameter name: of Weir's own.
    mutating func add(_ name: String, json: String?) {
        if text.utf8.count > 1 { text += "," }
        text += "\"\(name)\":\(json ?? "null")"
    }

    mutating func add(_ name: StaticString, _ value: String?) { add(name, json: value?.quotedAsJSON) }
    mutating func add(_ name: StaticString, _ value: Int64?) { add(name, json: value.map { "\($0)" }) }
    mutating func add(_ name: StaticString, _ value: Timestamp?) { add(name, value?.text) }
    mutating func add(_ name: StaticString, _ value: Bool) { add(name, json: "\(value)") }

    /// The id of a span.
    mutating func add(_ name: StaticString, id: UInt64?) { add(name, id?.digits(16, radix: 16)) }

    /// - Parameter value: finite.
    mutating func add(_ name: StaticString, _ value: Double) { add(name, json: "\(value)") }

    /// Ends the object.
    var line: String { text + "}" }
}

/// What stands in a line of JSON. The names of the members are those of the columns, and stay.
protocol JSONRow: Sendable {
    func write(to line: inout JSONLine)
}

extension JSONRow {
    /// An object in one line.
    var json: String {
        var line = JSONLine()
        write(to: &line)
        return line.line
    }
}
