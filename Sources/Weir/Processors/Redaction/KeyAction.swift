/// What becomes of the value of a key, whatever it holds.
enum KeyAction: String, CaseIterable, Sendable, BitwiseCopyable {
    /// It is looked through. So are all that no rule names.
    case scan
    /// It passes as it is.
    case keep
    case mask
    case hash
    case drop
    /// It is encrypted, by the processor `encryption` behind this one.
    case encrypt
}
