import Synchronization

/// Pipelines of which each took the place of the one before. They share it, so that one which somebody still holds, as
/// a receiver does the first that it was given, does not hold all that came after it, with their journals.
final class PipelineLine: Sendable {
    private struct Last {
        weak var pipeline: Pipeline?
    }

    private let end = Mutex(Last())

    /// The one that is at work; nil where that has ended.
    var last: Pipeline? { end.withLock { $0.pipeline } }

    func advance(to pipeline: Pipeline) {
        end.withLock { $0.pipeline = pipeline }
    }
}
