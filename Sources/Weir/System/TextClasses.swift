import CLibraries

/// What each of at most sixty-four bytes is, for ``TextPlaces``: a bit for each byte and class.
typealias TextClasses = weir_text_classes

extension TextClasses {
    /// - Parameter text: followed by sixteen bytes that can be read. The bits behind `count` mean nothing.
    @inline(__always)
    init(_ text: UnsafePointer<UInt8>, _ count: Int) {
        self = weir_text_classes_of(text, count)
    }
}

/// Where the words are in at most sixty-four bytes, for ``ContextWords``.
typealias WordClasses = weir_word_classes

extension WordClasses {
    /// - Parameter text: followed by sixteen bytes that can be read. The bits behind `count` mean nothing.
    @inline(__always)
    init(_ text: UnsafePointer<UInt8>, _ count: Int) {
        self = weir_word_classes_of(text, count)
    }
}
