/// What stands together in a file of the archive: spans of an hour, of records in their order.
struct ArchiveSection: Equatable {
    /// Since 1970; nil where it is not known.
    let hour: Int?
    var spans: ArchivedSpans
}

extension ArchiveManifest {
    /// The day and, where the file was not merged, the hour that it stands under; nil for spans without an hour.
    var place: (day: Day, hour: Int?)? {
        let names = (files.first?.path ?? "").split(separator: "/")
        guard let date = names.first(where: { $0.hasPrefix("date=") })?.dropFirst("date=".count),
            let day = Day(text: String(date))
        else { return nil }
        let hour = names.first { $0.hasPrefix("hour=") }.flatMap { Int($0.dropFirst("hour=".count)) }
        return (day, hour.flatMap { (0..<24).contains($0) ? $0 : nil })
    }

    /// In the order in which they stand in the file.
    var sections: [ArchiveSection] {
        let start = place.map { $0.day.number * 24 }
        guard parts.isEmpty else {
            return parts.map { part in ArchiveSection(hour: start.map { $0 + part.hour }, spans: part.spans) }
        }
        let hour = start.flatMap { start in place?.hour.map { start + $0 } }
        return [ArchiveSection(hour: hour, spans: spans)]
    }

    /// Gives the file this content.
    /// - Parameter sections: as many as it has.
    mutating func take(_ sections: [ArchiveSection], _ whole: ArchivedSpans, _ files: [File]) {
        spans = whole
        self.files = files
        for index in parts.indices { parts[index].spans = sections[index].spans }
    }

    /// One that can be read. Of one that is too long, since each erased request left a hole in its sequences, only the
    /// first and the last are known.
    var fitting: ArchiveManifest {
        guard bytes.count > ArchiveDirectory.maximumManifest else { return self }
        var short = self
        short.spans = spans.enclosed
        for index in parts.indices { short.parts[index].spans = parts[index].spans.enclosed }
        return short
    }

    /// Of a manifest's bytes.
    static func hash(_ bytes: [UInt8]) -> String { digits(Digest.sha256(bytes)) }
}

extension ArchivedSpans {
    fileprivate var enclosed: ArchivedSpans {
        ArchivedSpans(of: [sequences], records: records, spans: spans, times: times, suspects: suspects)
    }

    /// What files have together. Of records that both have spans of, each is counted once where all are known.
    static func merged(_ all: [ArchivedSpans]) -> ArchivedSpans? {
        // Of what was erased only the sequences are left.
        let left = all.filter { $0.spans > 0 }
        let all = left.isEmpty ? all : left
        guard !all.isEmpty else { return nil }
        let known = !left.isEmpty && all.allSatisfy(\.knowsEverySequence)
        var runs: [ClosedRange<UInt64>] = []
        for run in all.flatMap(\.runs).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = runs.last, run.lowerBound <= last.upperBound || run.lowerBound == last.upperBound &+ 1 {
                runs[runs.count - 1] = last.lowerBound...max(last.upperBound, run.upperBound)
            } else {
                runs.append(run)
            }
        }
        let records =
            known
            ? runs.reduce(0) { $0 + Int(clamping: $1.upperBound - $1.lowerBound) + 1 }
            : all.reduce(0) { $0 + $1.records }
        let times = all.compactMap(\.times).reduce(nil as ClosedRange<UInt64>?) { found, next in
            found.map { min($0.lowerBound, next.lowerBound)...max($0.upperBound, next.upperBound) } ?? next
        }
        return ArchivedSpans(
            of: runs.count > maxRuns ? [runs[0].lowerBound...runs[runs.count - 1].upperBound] : runs,
            records: records, spans: all.reduce(0) { $0 + $1.spans }, times: times,
            suspects: all.reduce(0) { $0 + $1.suspects })
    }
}
