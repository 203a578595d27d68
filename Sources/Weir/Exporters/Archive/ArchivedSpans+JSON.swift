extension ArchivedSpans {
    /// Members of the manifest.
    var fields: [(StaticString, JSONTree)] {
        let runs = runs.map { JSONTree.array([$0.lowerBound, $0.upperBound].map { .int(Int64(clamping: $0)) }) }
        var fields: [(StaticString, JSONTree)] = [
            ("sequences", .array(runs)), ("records", .int(Int64(records))), ("spans", .int(Int64(spans))),
        ]
        // What lies beyond 2^53 is a text, since many readers of JSON would round it.
        if let times {
            fields.append(("min_start_unix_nano", .text("\(times.lowerBound)")))
            fields.append(("max_start_unix_nano", .text("\(times.upperBound)")))
        }
        if suspects > 0 { fields.append(("clock_suspect", .int(Int64(suspects)))) }
        return fields
    }

    /// Nil where these members are not there.
    init?(_ tree: JSONTree) {
        guard let runs = tree["sequences"].flatMap({ Self.runs($0.elements) }), let records = tree["records"]?.count,
            let spans = tree["spans"]?.count
        else { return nil }
        let ends = [tree["min_start_unix_nano"], tree["max_start_unix_nano"]]
        let times = ends.compactMap { $0?.asText.flatMap { UInt64($0) } }
        self.init(
            of: runs, records: records, spans: spans,
            times: times.count == 2 && times[0] <= times[1] ? times[0]...times[1] : nil,
            suspects: min(tree["clock_suspect"]?.count ?? 0, spans))
    }

    /// Nil where they are not in their order, or none.
    private static func runs(_ elements: [JSONTree]) -> [ClosedRange<UInt64>]? {
        var runs: [ClosedRange<UInt64>] = []
        for element in elements {
            let ends = element.elements.compactMap(\.asInt)
            guard ends.count == 2, ends[0] >= 0, ends[0] <= ends[1],
                runs.last.map({ $0.upperBound < UInt64(ends[0]) }) ?? true
            else { return nil }
            runs.append(UInt64(ends[0])...UInt64(ends[1]))
        }
        return runs.isEmpty ? nil : runs
    }
}
