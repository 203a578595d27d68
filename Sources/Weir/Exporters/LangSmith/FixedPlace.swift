/// A line of the file in which an exporter remembers where runs stand, for the next process: 82 hexadecimal digits, and
/// the tenant.
struct FixedPlace: Equatable {
    private static let digits = 82

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
        guard line.count > Self.digits + 1, let high = hexDigit(line[80]), let low = hexDigit(line[81]) else {
            return nil
        }
        var numbers: [UInt64] = []
        for field in 0..<5 {
            var number: UInt64 = 0
            for place in field * 16..<field * 16 + 16 {
                guard let digit = hexDigit(line[place]) else { return nil }
                number = number << 4 | UInt64(digit)
            }
            numbers.append(number)
        }
        let tenant = String(decoding: line[Self.digits..<line.count - 1], as: UTF8.self)
        trace = TraceKey(tenant: tenant, high: numbers[0], low: numbers[1])
        (id, parent, start) = (numbers[2], numbers[3], numbers[4])
        flags = high << 4 | low
    }

    func write(to writer: inout JSONWriter) {
        for number in [trace.high, trace.low, id, parent, start] { writer.hexadecimal(number) }
        for digit in [flags >> 4, flags & 15] {
            writer.byte(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
        var tenant = trace.tenant
        tenant.withUTF8 { writer.bytes(UnsafeRawBufferPointer($0)) }
        writer.byte(UInt8(ascii: "\n"))
    }

    /// Bytes of the line, the line feed among them.
    var size: Int { Self.digits + trace.tenant.utf8.count + 1 }

    /// Of a root that was missing; nil for a span.
    var standInStart: UInt64? { flags & Self.standIn != 0 ? start : nil }

    var span: TraceIndex.Span {
        TraceIndex.Span(
            parent: parent, start: start, isOrphan: flags & Self.orphan != 0, isFixed: true,
            isRoot: flags & Self.root != 0, isPatch: flags & Self.patch != 0, bringsRoot: flags & Self.brings != 0)
    }
}
