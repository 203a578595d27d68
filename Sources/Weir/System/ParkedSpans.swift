/// How many spans are set aside for the exporters of a pipeline, those among them that are not configured any more.
/// Only looks, also while somebody delivers them.
enum ParkedSpans {
    /// - Parameters:
    ///   - pipeline: the directory that belongs to it.
    ///   - isWanted: whether an exporter is looked at.
    /// - Returns: by the names of exporters as files have them.
    static func count(
        below pipeline: String, where isWanted: (String) -> Bool = { _ in true }
    ) throws(FileError) -> [String: Int] {
        let parked = "\(pipeline)/parked"
        guard try Directory.isThere(parked) else { return [:] }
        var counts: [String: Int] = [:]
        for exporter in try Directory.names(in: parked) where isWanted(exporter) {
            var spans = 0
            for name in try Directory.names(in: "\(parked)/\(exporter)") where name.hasSuffix(".jsonl") {
                let file = "\(parked)/\(exporter)/\(name)"
                do throws(FileError) {
                    spans += try count(in: file)
                } catch {
                    // It goes once all of it is delivered.
                    if try Directory.isThere(file) { throw error }
                }
            }
            counts[exporter] = spans
        }
        return counts
    }

    private static func count(in file: String) throws(FileError) -> Int {
        var head = 0
        var records: [(end: Int, spans: Int)] = []
        var reader = try LineReader(file, from: 0)
        while let entry = try reader.next({ LetterEntry(parsing: $0, withPayload: false) }) {
            switch entry {
            case .done(let offset): head = max(head, offset)
            case .record(let kept): records.append((reader.offset, kept.record.spanCount))
            case nil: continue
            }
        }
        return records.reduce(0) { $1.end > head ? $0 + $1.spans : $0 }
    }
}
