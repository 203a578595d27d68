/// What a line of a file of letters says.
enum LetterEntry {
    case record(KeptRecord)
    /// What stands before this byte of the file is done with.
    case done(before: Int)

    /// The line, with its line feed, that says the latter.
    static func doneLine(before offset: Int) -> [UInt8] {
        Array("{\"done\":\(offset)}\n".utf8)
    }

    /// Nil where the line is something else.
    ///
    /// - Parameters:
    ///   - line: without its line feed.
    ///   - withPayload: false leaves the payload empty, which is faster.
    init?(parsing line: UnsafeRawBufferPointer, withPayload: Bool = true) {
        // The scanner of OTLP/JSON works in a batch.
        var batch = Batch(decodedLimit: .max)
        batch.reset(to: .copying(line))
        var scanner = JSONScanner(batch.arena)
        var members = Members(withPayload: withPayload)
        do throws(JSONProblem) {
            try scanner.eachMember { (scanner, key) throws(JSONProblem) in try members.read(key, &scanner, batch) }
        } catch {
            return nil
        }
        guard scanner.peek() == 0, scanner.position >= scanner.end, let entry = members.entry else { return nil }
        self = entry
    }
}

extension LetterEntry {
    private struct Members {
        let withPayload: Bool
        var done: Int?
        var journal: UInt64?
        var sequence: UInt64?
        var tenant: String?
        var receivedAt: UInt64 = 0
        var spanCount: Int?
        var section = RecordSection()
        var codec: UInt8 = 0
        var payload: Payload?

        init(withPayload: Bool) {
            self.withPayload = withPayload
        }

        mutating func read(
            _ key: JSONKey, _ scanner: inout JSONScanner, _ batch: borrowing Batch
        ) throws(JSONProblem) {
            if key.equals("done") {
                done = Int(exactly: try scanner.readUInt64())
            } else if key.equals("journal") {
                journal = UInt64(batch.text(try scanner.readString()), radix: 16)
            } else if key.equals("sequence") {
                sequence = try scanner.readUInt64()
            } else if key.equals("tenant") {
                tenant = batch.text(try scanner.readString())
            } else if key.equals("receivedAt") {
                receivedAt = try scanner.readUInt64()
            } else if key.equals("spans") {
                spanCount = Int(exactly: try scanner.readUInt64())
            } else if key.equals("codec") {
                codec = UInt8(clamping: try scanner.readUInt64())
            } else if key.equals("section"), withPayload {
                section = RecordSection(batch.bytes(try readBase64(&scanner, batch)))
            } else if key.equals("otlp"), withPayload {
                payload = .copying(batch.bytes(try readBase64(&scanner, batch)))
            } else {
                if key.equals("otlp") { payload = .empty }
                try scanner.skipValue()
            }
        }

        private func readBase64(_ scanner: inout JSONScanner, _ batch: borrowing Batch) throws(JSONProblem) -> ByteRef {
            try JSONAttributeReader(batch.arena, maxDepth: 0).readBase64(&scanner)
        }

        var entry: LetterEntry? {
            if let done { return .done(before: done) }
            guard let journal, let sequence, let tenant, let spanCount, let payload else { return nil }
            return .record(
                KeptRecord(
                    journal: JournalID(value: journal),
                    record: JournalRecord(
                        sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: receivedAt),
                        spanCount: spanCount, payload: payload, section: section, codec: codec)))
        }
    }
}
