/// A file that was merged into another: what its manifest said, as far as somebody asks for it afterwards.
struct ArchivePart: Equatable {
    let number: Int
    let previous: String?
    /// Of the manifest that was superseded.
    let sha256: String
    /// Of the file's day.
    let hour: Int
    /// In a file of OTLP, what of it is left there.
    var spans: ArchivedSpans

    init(number: Int, previous: String?, sha256: String, hour: Int, spans: ArchivedSpans) {
        (self.number, self.previous, self.sha256) = (number, previous, sha256)
        (self.hour, self.spans) = (hour, spans)
    }

    var tree: JSONTree {
        .fields(
            [
                ("number", .int(Int64(number))), ("previous", previous.map(JSONTree.text) ?? .null),
                ("sha256", .text(sha256)), ("hour", .int(Int64(hour))),
            ] + spans.fields)
    }

    init?(_ tree: JSONTree) {
        guard let number = tree["number"]?.count, let sha256 = tree["sha256"]?.asText, let hour = tree["hour"]?.asInt,
            (0..<24).contains(hour), let spans = ArchivedSpans(tree)
        else { return nil }
        self.init(number: number, previous: tree["previous"]?.asText, sha256: sha256, hour: hour, spans: spans)
    }
}
