/// What became of the events of a request.
struct BeaconTally: Equatable {
    /// Why an event was not taken, as a metric names it.
    enum Refusal: String, CaseIterable, Sendable {
        case malformed
        case unknownEvent = "unknown_event"
        case violation
        case sampledOut = "sampled_out"
    }

    var taken = 0
    var marked = 0
    var strippedAttributes = 0
    var refused: [Refusal: Int] = [:]
    /// The first that was wrong.
    var example: String?

    mutating func refuse(_ reason: Refusal, _ message: @autoclosure () -> String) {
        refused[reason, default: 0] += 1
        if reason != .sampledOut, example == nil { example = message() }
    }

    /// Those that were taken and that the decoder has left out, as spans whose ids are none.
    mutating func reject(_ rejections: Rejections) {
        guard rejections.count > 0 else { return }
        taken = max(0, taken - rejections.count)
        refused[.malformed, default: 0] += rejections.count
        if example == nil { example = rejections.message }
    }
}
