/// A place in a text that a detector, or a rule of the configuration, found.
struct RedactionFinding: BitwiseCopyable, Equatable {
    /// Kinds from this on are rules of the configuration, by their place in its list.
    static let firstRule: UInt8 = 64

    /// In bytes of the text.
    var start: Int
    var end: Int
    /// The raw value of a ``Detector``, or a rule.
    var kind: UInt8

    var detector: Detector? { Detector(rawValue: kind) }
}
