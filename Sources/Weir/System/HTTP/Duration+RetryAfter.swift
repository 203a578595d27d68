import Glibc

extension Duration {
    /// Reads the value of a `Retry-After` header, RFC 9110 10.2.3: seconds, or a date. Nil where it is neither.
    ///
    /// At least a second, since a client that reads 0 would come back at once, and at most an hour.
    init?(retryAfter text: String, at now: Timestamp) {
        // RFC 9110 5.5: "a field value does not include leading or trailing whitespace", and some clients leave it.
        let words = text.split { $0 == " " || $0 == "\t" }
        let seconds: Int
        if words.count == 1, words[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            seconds = Int(words[0]) ?? .max
        } else if let date = Timestamp.secondsSince1970(httpDate: text) {
            seconds = date - Int(now.nanoseconds / 1_000_000_000)
        } else {
            return nil
        }
        self = .seconds(min(max(seconds, 1), 3_600))
    }
}

extension Timestamp {
    /// The value of a `Date` header; nil where it is none, or a time that 64 bits of nanoseconds cannot say.
    init?(httpDate text: String) {
        guard let seconds = Self.secondsSince1970(httpDate: text),
            (0...Int(UInt64.max / 1_000_000_000)).contains(seconds)
        else { return nil }
        self.init(nanoseconds: UInt64(seconds) &* 1_000_000_000)
    }

    /// RFC 9110 5.6.7: "a recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date
    /// formats": `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
    fileprivate static func secondsSince1970(httpDate text: String) -> Int? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var parts = text.split { " ,-:".contains($0) }
        if parts.count == 7 { parts = [0, 2, 1, 6, 3, 4, 5].map { parts[$0] } + ["GMT"] }
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let numbers = [1, 3, 4, 5, 6].compactMap { UInt16(parts[$0]).map(Int32.init) }
        guard numbers.count == 5 else { return nil }
        let year = numbers[1] < 70 ? numbers[1] + 100 : numbers[1] < 100 ? numbers[1] : numbers[1] - 1900
        var time = tm()
        (time.tm_mday, time.tm_mon, time.tm_year) = (numbers[0], Int32(month), year)
        (time.tm_hour, time.tm_min, time.tm_sec) = (numbers[2], numbers[3], numbers[4])
        return timegm(&time)
    }
}
