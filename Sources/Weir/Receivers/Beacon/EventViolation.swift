/// How an event is not as the registry has it.
enum EventViolation: Equatable {
    enum Outcome: String, CaseIterable, Sendable {
        case reject, strip, mark
    }

    case unknownEvent
    /// An attribute that neither the payload nor the allow-list has.
    case unknownAttribute(String)
    case missing(String)
    case wrongValue(String)

    /// As the attribute `weir.event.violation` says it.
    var text: String {
        switch self {
        case .unknownEvent: "unknown event"
        case .unknownAttribute(let name): "unknown attribute \(name)"
        case .missing(let name): "missing \(name)"
        case .wrongValue(let name): "wrong value of \(name)"
        }
    }
}
