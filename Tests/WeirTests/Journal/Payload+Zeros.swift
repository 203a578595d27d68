@testable import Weir

extension Payload {
    /// So many zero bytes, where only their number matters.
    static func zeros(_ count: Int) -> Payload {
        [UInt8](repeating: 0, count: count).withUnsafeBytes { .copying($0) }
    }
}
