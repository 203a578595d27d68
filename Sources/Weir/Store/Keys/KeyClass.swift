/// What a data key is for. Keys of one class open nothing of another.
enum KeyClass: UInt8, Sendable, CaseIterable {
    /// Values of fields.
    case field = 1
    /// Records of journals, and letters.
    case journal = 2
    /// What subjects are looked up by: one for the whole store, made with it.
    case index = 3
    /// Files of archives.
    case archive = 4

    var name: String { "\(self)" }
}
