/// A line of the file in which an exporter remembers where runs stand, for the next process: 82 hexadecimal digits, the
/// tenant, and with a root or its stand-in the project where there is one, as a JSON text behind a byte that is 0.
struct FixedPlace: Equatable {
    private static let digits = 82

    private static let root: UInt8 = 1
    private static let patch: UInt8 = 2
    private static let brings: UInt8 = 4
    private static let standIn: UInt8 = 8
    private static let orphan: UInt8 = 16
    private static let projectID: UInt8 = 32

    let trace: TraceKey
    let id: UInt64
    private let parent: UInt64
    private let start: UInt64
    private let flags: UInt8
    /// With a root or its stand-in only.
    let project: RunProject?

    init(_ trace: TraceKey, _ id: UInt64, _ span: TraceIndex.Span, _ project: RunProject?) {
        self.trace = trace
        self.id = id
        parent = span.parent
        start = span.start
        self.project = span.isRoot ? project : nil
        flags =
            (span.isRoot ? Self.root : 0) | (span.isPatch ? Self.patch : 0) | (span.bringsRoot ? Self.brings : 0)
            | (span.isOrphan ? Self.orphan : 0) | Self.flag(of: self.project)
    }

    init(standIn trace: TraceKey, start: UInt64, _ project: RunProject?) {
        self.trace = trace
        id = 0
        parent = 0
        self.start = start
        self.project = project
        flags = Self.standIn | Self.flag(of: project)
    }

    private static func flag(of project: RunProject?) -> UInt8 {
        if case .id? = project { projectID } else { 0 }
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
        let names = line[Self.digits..<line.count - 1].split(separator: 0, maxSplits: 1)
        let tenant = names.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        trace = TraceKey(tenant: tenant, high: numbers[0], low: numbers[1])
        (id, parent, start) = (numbers[2], numbers[3], numbers[4])
        let flags = high << 4 | low
        self.flags = flags
        let text = names.dropFirst().first.map { JSONTreeReader.value(UnsafeRawBufferPointer(rebasing: $0)) }
        project = text??.asText.map { flags & Self.projectID != 0 ? .id($0) : .name($0) }
    }

    func write(to writer: inout JSONWriter) {
        for number in [trace.high, trace.low, id, parent, start] { writer.hexadecimal(number) }
        for digit in [flags >> 4, flags & 15] {
            writer.byte(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
        var tenant = trace.tenant
        tenant.withUTF8 { writer.bytes(UnsafeRawBufferPointer($0)) }
        switch project {
        case .name(let text)?, .id(let text)?:
            writer.byte(0)
            writer.string(text)
        case nil: break
        }
        writer.byte(UInt8(ascii: "\n"))
    }

    /// Bytes of the line, the line feed among them; more where it names a project.
    var size: Int { Self.digits + trace.tenant.utf8.count + 1 }

    /// Of a root that was missing; nil for a span.
    var standInStart: UInt64? { flags & Self.standIn != 0 ? start : nil }

    var span: TraceIndex.Span {
        TraceIndex.Span(
            parent: parent, start: start, isOrphan: flags & Self.orphan != 0, isFixed: true,
            isRoot: flags & Self.root != 0, isPatch: flags & Self.patch != 0, bringsRoot: flags & Self.brings != 0)
    }
}
