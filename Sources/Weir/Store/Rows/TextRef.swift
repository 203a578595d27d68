/// Where a text of ``HotRows`` stands among their bytes.
struct TextRef: BitwiseCopyable, Equatable {
    static let absent = TextRef(offset: 0, count: .max)

    var offset: UInt32
    var count: UInt32

    /// NULL in SQL.
    var isAbsent: Bool { count == .max }
}
