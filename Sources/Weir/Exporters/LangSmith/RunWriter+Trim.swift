/// A run that is larger than a request may be.
extension RunWriter {
    /// Bytes of a trimmed field that are kept.
    static let kept = 4_096

    /// Puts notes in place of the largest fields, one after the other, until the run has at most `limit` bytes. What a
    /// note says is how large the field was, and how it began.
    /// - Returns: whether anything was trimmed.
    mutating func trim(_ run: inout WrittenRun, to limit: Int) -> Bool {
        var trimmed: [RunField] = []
        while run.size > limit {
            let largest = run.fields.indices.filter { !trimmed.contains(run.fields[$0].field) }
                .max { run.fields[$0].range.count < run.fields[$1].range.count }
            guard let largest, run.fields[largest].range.count > Self.kept else { break }
            trimmed.append(run.fields[largest].field)
            let start = json.count
            writeNote(run.fields[largest].field, run.fields[largest].range)
            run.fields[largest].range = start..<json.count
        }
        if !trimmed.isEmpty { mark(&run, trimmed) }
        return !trimmed.isEmpty
    }

    /// The beginning of a part of what was written, cut between characters.
    private func beginning(of range: Range<Int>) -> String {
        var bytes = Array(json.written[range].prefix(Self.kept))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func writeNote(_ field: RunField, _ range: Range<Int>) {
        let note = JSONTree.fields([
            "weir_trimmed": .fields(["bytes": .int(Int64(range.count)), "beginning": .text(beginning(of: range))])
        ])
        switch field {
        case .inputs: json.value(note)
        case .outputs:
            var members = note.members
            // Not the counts with it.
            let whole = Array(json.written[range])
            whole.withUnsafeBytes { bytes in
                if let usage = JSONTreeReader.value(bytes)?["usage_metadata"] {
                    members.append((JSONTree.Text("usage_metadata"), usage))
                }
                json.value(.object(members))
            }
        case .events: json.value(.array([note]))
        case .extra: json.value(.fields(["metadata": note]))
        case .error: json.value(.text(beginning(of: range)))
        }
    }

    /// `extra` begins with the metadata.
    private mutating func mark(_ run: inout WrittenRun, _ trimmed: [RunField]) {
        guard let index = run.fields.firstIndex(where: { $0.field == .extra }) else { return }
        let extra = Array(json.written[run.fields[index].range].dropFirst("{\"metadata\":{".utf8.count))
        let start = json.count
        json.raw("{\"metadata\":{")
        json.member("weir_trimmed_fields", .array(trimmed.map { .string(JSONTree.Text($0.name)) }))
        extra.withUnsafeBytes { json.bytes($0) }
        run.fields[index].range = start..<json.count
    }
}
