import ArgumentParser

/// `weir journal dump`
struct JournalDumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Prints the records of the journals, one JSON object a line.")

    @OptionGroup var options: JournalOptions

    @Option(help: ArgumentHelp("The first record.", valueName: "sequence"))
    var from: UInt64 = 0

    @Option(help: ArgumentHelp("The last record.", valueName: "sequence"))
    var to: UInt64 = .max

    @Flag(help: "With the spans, in OTLP/JSON.")
    var spans = false

    func run() throws {
        var printer = JournalPrinter(withSpans: spans)
        for (pipeline, disk) in try options.journals() {
            let journal = try JournalRecovery(disk, isReadOnly: true)
            for segment in journal.segments where segment.end > from && segment.firstSequence <= to {
                // Every exporter has what went since.
                guard let file = try journal.open(segment) else { continue }
                var reader = SegmentReader(file, segment.header, disk)
                while let (record, body) = try next(&reader, segment), record.sequence <= to {
                    if record.sequence >= from {
                        try StandardOutput.write(printer.line(of: record, body, pipeline: pipeline))
                    }
                }
            }
        }
    }

    /// The next record that is whole and not void.
    private func next(
        _ reader: inout SegmentReader, _ segment: SegmentSummary
    ) throws -> (RecordHeader, UnsafeRawBufferPointer)? {
        while true {
            switch try reader.next(before: segment.size) {
            case .record(let record, let offset):
                guard record.sequence < segment.end else { return nil }
                return (record, try reader.body(of: record, at: offset))
            case .damagedBody, .damage: continue
            case .end: return nil
            }
        }
    }
}

/// Puts a record into a line of JSON.
struct JournalPrinter: ~Copyable {
    private let withSpans: Bool
    private var batch = Batch(decodedLimit: .max)
    private var encoder = OTLPJSONEncoder()

    init(withSpans: Bool) {
        self.withSpans = withSpans
    }

    /// The request key is left out: two of them give the secret of their sum away (see ``RequestHash``).
    mutating func line(
        of record: RecordHeader, _ body: UnsafeRawBufferPointer, pipeline: String
    ) throws -> [UInt8] {
        let tenant = record.tenant(in: body)
        let payload = record.payload(in: body)
        var line = Array(
            (#"{"pipeline":\#(pipeline.quotedAsJSON),"sequence":\#(record.sequence),"tenant":\#(tenant.quotedAsJSON),"#
                + #""receivedUnixNano":"\#(record.receivedAt.nanoseconds)","spans":\#(record.spanCount),"#
                + #""bytes":\#(payload.count)"#).utf8)
        if record.codec != 0 {
            line += Array(#","encrypted":true"#.utf8)
        } else if withSpans {
            try OTLPDecoder(maxValueDepth: .max).decode(.copying(payload), into: &batch)
            line += Array(#","request":"#.utf8)
            line += encoder.bytes(of: batch)
        }
        return line + Array("}\n".utf8)
    }
}
