extension Double {
    /// As the OpenTelemetry Collector writes it: `3`, not `3.0`, and with an exponent only below a millionth and from
    /// 10²¹ on.
    var plainText: String {
        let text = description.hasSuffix(".0") ? String(description.dropLast(2)) : description
        let parts = text.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return text }
        guard magnitude >= 1e-6, magnitude < 1e21 else { return "\(parts[0])e\(exponent < 0 ? "" : "+")\(exponent)" }
        let sign = self < 0 ? "-" : ""
        let digits = parts[0].filter(\.isNumber)
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        // No number that is written so has digits behind the point.
        return sign + digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    }
}
