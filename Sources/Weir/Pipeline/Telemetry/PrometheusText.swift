/// Writes metrics in the Prometheus text format 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func append(_ family: MetricFamily) {
        text += "# HELP \(family.name) \(Self.escape(family.help, quote: false))\n"
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter): append(family.name, labels, String(counter.value))
            case .gauge(let gauge): append(family.name, labels, Self.number(gauge.value))
            case .histogram(let histogram): append(family.name, labels, histogram.read())
            case .callback(let read):
                if let value = read() { append(family.name, labels, Self.number(value)) }
            }
        }
    }

    private mutating func append(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Buckets are cumulative here, and the last, `+Inf`, equals the count.
    private mutating func append(_ name: String, _ labels: String, _ histogram: Histogram.Snapshot) {
        let others = labels.isEmpty ? "" : labels + ","
        var total = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
            total += count
            append("\(name)_bucket", "\(others)le=\"\(Self.number(bound))\"", String(total))
        }
        append("\(name)_sum", labels, Self.number(histogram.sum))
        append("\(name)_count", labels, String(total))
    }
}

extension PrometheusText {
    /// Labels as they stand between the braces, sorted by name.
    static func labels(_ labels: MetricRegistry.Labels) -> String {
        labels.sorted { $0.key < $1.key }.map { name, value in
            precondition(isName(name) && !name.contains(":"), "\"\(name)\" is not the name of a label")
            return
                "\(name)=\"\(escape(String(value.unicodeScalars.prefix(MetricRegistry.maxLabelValue)), quote: true))\""
        }.joined(separator: ",")
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
    }

    /// "label_value can be any sequence of UTF-8 characters, but the backslash (\), double-quote ("), and line feed
    /// (\n) characters have to be escaped as \\, \", and \n". A help text escapes the same but for the quote.
    private static func escape(_ text: String, quote: Bool) -> String {
        var escaped = ""
        // By scalars: as characters, a carriage return and a line feed are one, which is not the line feed.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// As Go's `ParseFloat` reads it: `+Inf`, `-Inf`, `NaN`; whole numbers without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.magnitude < 1e15, value == value.rounded(), let whole = Int(exactly: value) { return String(whole) }
        return value.description
    }
}
