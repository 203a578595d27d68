/// A number of bytes.
struct ByteCount: Sendable, Hashable, Comparable {
    let bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count << 10) }
    static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count << 20) }
    static func gibibytes(_ count: Int) -> ByteCount { ByteCount(count << 30) }
    static func tebibytes(_ count: Int) -> ByteCount { ByteCount(count << 40) }

    static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

extension ByteCount {
    private static let units: [(name: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("B", 1), ("", 1),
    ]

    /// Reads `4096`, `64MiB` or `10MB`; nil where the text is something else or has more than 63 bits.
    init?(parsing text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits), let unit = Self.units.first(where: { $0.name == text[digits.endIndex...] })
        else {
            return nil
        }
        let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: unit.bytes)
        guard !isTooMuch else { return nil }
        self.init(bytes)
    }
}

extension ByteCount: CustomStringConvertible {
    /// In the largest binary unit that leaves nothing over: `64MiB`, `4097`.
    var description: String {
        guard bytes > 0, let unit = Self.units[..<4].last(where: { bytes.isMultiple(of: $0.bytes) }) else {
            return String(bytes)
        }
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    /// As it is written in the file.
    var scalar: ConfigScalar {
        Int64(description).map(ConfigScalar.int) ?? .string(description)
    }
}
