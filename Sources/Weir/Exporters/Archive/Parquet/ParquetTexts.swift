/// Texts of a column that stand nowhere yet: the names of numbers.
struct ParquetTexts: ~Copyable {
    private var writer = JSONWriter(capacity: 4 << 10)
    private var ends: [Int] = []

    /// The text with this number, in the order in which they were added.
    func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: writer.written[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { writer.bytes(UnsafeRawBufferPointer($0)) }
        ends.append(writer.count)
    }
}
