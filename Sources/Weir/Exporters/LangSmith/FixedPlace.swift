/// A line of the file in which an exporter remembers where runs stand, for the next process: 98 hexadecimal digits.
struct FixedPlace: Equatable {
    /// Bytes, the line feed among them.
    static let size = 99

    private static let root: UInt8 = 1
    private static let patch: UInt8 = 2
    private static let brings: UInt8 = 4
    private static let standIn: UInt8 = 8
    private static let orphan: UInt8 = 16

    let trace: TraceKey
    let id: UInt64
    private let parent: UInt64
    private let start: UInt64
    private let flags: UInt8

    init(_ trace: TraceKey, _ id: UInt64, _ span: TraceIndex.Span) {
        self.trace = trace
        self.id = id
        parent = span.parent
        start = span.start
        flags =
            (span.isRoot ? Self.root : 0) | (span.isPatch ? Self.patch : 0) | (span.bringsRoot ? Self.brings : 0)
            | (span.isOrphan ? Self.orphan : 0)
    }

    init(standIn trace: TraceKey, start: UInt64) {
        self.trace = trace
        id = 0
        parent = 0
        self.start = start
        flags = Self.standIn
    }

    /// Nil where this is no such line.
    init?(line: UnsafeRawBufferPointer) {
        guard line.count == Self.size, let high = hexDigit(line[96]), let low = hexDigit(line[97]) else { return nil }
        var numbers: [UInt64] = []
        for field in 0..<6 {
            var number: UInt64 = 0
            for place in field * 16..<field * 16 + 16 {
                guard let digit = hexDigit(line[place]) else { return nil }
                number = number << 4 | UInt64(digit)
            }
            numbers.append(number)
        }
        trace = TraceKey(tenant: numbers[0], high: numbers[1], low: numbers[2])
        (id, parent, start) = (numbers[3], numbers[4], numbers[5])
        flags = high << 4 | low
    }

    func write(to writer: inout JSONWriter) {
        for number in [trace.tenant, trace.high, trace.low, id, parent, start] { writer.hexadecimal(number) }
        for digit in [flags >> 4, flags & 15] {
            writer.byte(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
        writer.byte(UInt8(ascii: "\n"))
    }

    /// Of a root that was missing; nil for a span.
    var standInStart: UInt64? { flags & Self.standIn != 0 ? start : nil }

    var span: TraceIndex.Span {
        TraceIndex.Span(
            parent: parent, start: start, isOrphan: flags & Self.orphan != 0, isFixed: true,
            isRoot: flags & Self.root != 0, isPatch: flags & Self.patch != 0, bringsRoot: flags & Self.brings != 0)
    }
}
