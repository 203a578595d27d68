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

    /// Characters of a name that anybody may have chosen.
    private static let maximumName = 128

    /// As the attribute `weir.event.violation` says it.
    var text: String {
        switch self {
        case .unknownEvent: "unknown event"
        case .unknownAttribute(let name): "unknown attribute \(name.prefix(Self.maximumName))"
        case .missing(let name): "missing \(name)"
        case .wrongValue(let name): "wrong value of \(name)"
        }
    }
}
