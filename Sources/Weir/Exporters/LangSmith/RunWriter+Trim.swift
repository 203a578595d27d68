/// A run that is larger than a request may be.
extension RunWriter {
    /// Bytes of a trimmed field that are kept, and of a member of the metadata.
    static let kept = 4_096
    static let keptOfMember = 256

    /// Puts notes in place of the largest fields, one after the other, until the run has at most `limit` bytes. What a
    /// note says is how large the field was, and how it began. Of `extra` only the largest members go.
    /// - Returns: whether anything was trimmed.
    mutating func trim(_ run: inout WrittenRun, to limit: Int) -> Bool {
        var trimmed: [RunField] = []
        while run.size > limit {
            let largest = run.fields.indices.filter { !trimmed.contains(run.fields[$0].field) }
                .max { run.fields[$0].range.count < run.fields[$1].range.count }
            guard let largest, run.fields[largest].range.count > Self.kept else { break }
            let (field, range) = run.fields[largest]
            trimmed.append(field)
            run.trimmed.append(field.name)
            let start =
                field == .extra
                ? writeExtra(range, of: run, to: max(Self.kept, limit - run.size + range.count))
                : writeNote(field, range)
            run.fields[largest].range = start..<json.count
        }
        guard !trimmed.isEmpty else { return false }
        if trimmed.last != .extra, let extra = run.fields.firstIndex(where: { $0.field == .extra }) {
            // Says so.
            let start = writeExtra(run.fields[extra].range, of: run, to: .max)
            run.fields[extra].range = start..<json.count
        }
        return true
    }

    /// The beginning of a part of what was written, cut between characters.
    private func beginning(of range: Range<Int>, _ kept: Int) -> String {
        var bytes = Array(json.written[range].prefix(kept))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func note(_ range: Range<Int>, _ kept: Int = RunWriter.kept) -> JSONTree {
        .fields([
            "weir_trimmed": .fields(["bytes": .int(Int64(range.count)), "beginning": .text(beginning(of: range, kept))])
        ])
    }

    /// - Returns: where it begins.
    private mutating func writeNote(_ field: RunField, _ range: Range<Int>) -> Int {
        let note = note(range)
        let start = json.count
        switch field {
        case .inputs, .extra: json.value(note)
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
        case .error: json.value(.text(beginning(of: range, Self.kept)))
        }
        return start
    }

    /// Writes `extra` again, with the names of what was trimmed, and with as many notes in place of its largest members
    /// as it takes for the rest to have at most `limit` bytes. Should that not do, the largest go without one.
    /// - Returns: where it begins.
    private mutating func writeExtra(_ range: Range<Int>, of run: WrittenRun, to limit: Int) -> Int {
        let whole = Array(json.written[range])
        return whole.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.value(bytes) else {
                let start = json.count
                json.value(.fields(["metadata": note(range)]))
                return start
            }
            var members = (tree["metadata"]?.members ?? []).filter { !$0.key.equals(RunMetadata.trimmedFields) }
            members.insert((JSONTree.Text(RunMetadata.trimmedFields), RunMetadata.names(run.trimmed)), at: 0)
            let own = members.count
            members += tree.members.filter { !$0.key.equals("metadata") }
            let gone = limit < .max ? shorten(&members, to: limit) : []
            let metadata = members.indices.prefix(own).filter { !gone.contains($0) }.map { members[$0] }
            let others = members.indices.dropFirst(own).filter { !gone.contains($0) }.map { members[$0] }
            // Behind what was written to see how large it is.
            let start = json.count
            json.value(.object([(JSONTree.Text("metadata"), .object(metadata))] + others))
            return start
        }
    }

    /// - Returns: those that have to go; the first never does.
    private mutating func shorten(_ members: inout [JSONTree.Member], to limit: Int) -> Set<Int> {
        func size(_ member: JSONTree.Member, _ json: inout JSONWriter) -> Range<Int> {
            let start = json.count
            json.member(member.key, member.value)
            return start..<json.count
        }
        let ranges = members.map { size($0, &json) }
        var total = ranges.reduce(32) { $0 + $1.count }
        let byLength = members.indices.dropFirst().sorted { ranges[$0].count > ranges[$1].count }
        var lengths = ranges.map(\.count)
        for index in byLength where total > limit && lengths[index] > 2 * Self.keptOfMember {
            members[index].value = note(ranges[index], Self.keptOfMember)
            let length = size(members[index], &json).count
            total += length - lengths[index]
            lengths[index] = length
        }
        var gone: Set<Int> = []
        for index in byLength.sorted(by: { lengths[$0] > lengths[$1] }) where total > limit {
            gone.insert(index)
            total -= lengths[index]
        }
        return gone
    }
}
