/// What stands inside of an attribute's value, as it stands there.
enum MemberValue {
    /// In a JSON text, with its quotes where it is a string.
    case json(UnsafeRawBufferPointer)
    /// An encoded AnyValue.
    case encoded(UnsafeRawBufferPointer)
}

extension UnsafeRawBufferPointer {
    /// Of a JSON string.
    var insideQuotes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[1..<Swift.max(1, count - 1)])
    }
}
