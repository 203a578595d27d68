/// Chooses among what stands inside of an attribute's value, and changes it.
protocol MemberVisitor: ~Copyable {
    /// Whether it looks into bytes that are text. What stands in them cannot be changed.
    static var looksIntoBytes: Bool { get }

    /// Whether this one is changed as a whole; otherwise what stands in it is gone through.
    /// - Parameter text: the inside of a string, with the escapes that it has; nil for any other value.
    mutating func wants(_ place: borrowing MemberPlace, text: UnsafeRawBufferPointer?) -> Bool

    /// - Returns: what stands there from now on, written in the same way; nil where the value stays.
    mutating func change(
        _ value: MemberValue, at place: borrowing MemberPlace
    ) throws(MemberWalk.Failure) -> [UInt8]?
}
