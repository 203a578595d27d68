import Foundation

/// What takes long runs in `make torture` only, or for longer there.
enum Torture {
    static let isOn = ProcessInfo.processInfo.environment["WEIR_TORTURE"] != nil
}
