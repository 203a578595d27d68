/// A processor that needs more than one request to decide: it reads the pipeline's journal behind a cursor, as an
/// exporter does, and appends what it keeps to a second journal, from which the exporters read.
///
/// Processors in front of it run before the first journal, those behind it before the second. Nothing is lost and
/// nothing forwarded twice: the cursor of the first journal moves when the second has a record, and each record of the
/// second says which one of the first it comes from.
protocol Stage: Component {
    /// Works until the first journal is closed, or another stage is to go on in its place. What is undecided stays in
    /// the first.
    func run(_ course: StageCourse) async
    /// What is wrong though the stage works, a line each.
    var complaints: [String] { get }
}

/// Between what a stage stands.
struct StageCourse: Sendable {
    /// The stage's id in the first journal, whatever the component is called: a pipeline has one stage.
    static let name = "stage"
    /// Where the second journal is, below the directory of the first.
    static let directory = "sampled"
    /// Its place in either journal.
    static let destination = Journal.Destination(name: name, onFull: .refuse)

    /// The pipeline, up to the first journal.
    let source: Pipeline
    let reader: JournalReader
    /// Returns whether what the stage has appended to the first journal is as sure as that journal's records are to be.
    let keepCopies: @Sendable () async -> Bool
    /// Whether the next process may find what the first journal has refused.
    let holdsRefused: @Sendable () async -> Bool
    /// Makes durable what the reader has committed.
    let keepCursors: @Sendable () async -> Bool
    /// The processors behind the stage, and the second journal.
    let target: Pipeline
    /// Of the second journal: what the stage has written there, until it need not know any more.
    let progress: JournalReader
    /// Drops what was erased since it came.
    let erasure: any Processor
    /// The same without counting it, where spans are only looked at: one may be many times.
    let silentErasure: any Processor
    /// For what the stage wants to keep.
    let directory: String
    let now: @Sendable () -> Timestamp
}
