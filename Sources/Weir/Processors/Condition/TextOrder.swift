// Text is compared byte by byte. In UTF-8 that is the order of the code points.
extension UnsafeRawBufferPointer {
    /// Less than, equal to or greater than 0 where this text stands before, at or behind the other.
    func order(to other: UnsafeRawBufferPointer) -> Int {
        let shared = Swift.min(count, other.count)
        var position = 0
        while position + 8 <= shared, word(at: position) == other.word(at: position) {
            position += 8
        }
        while position < shared {
            if self[position] != other[position] { return Int(self[position]) - Int(other[position]) }
            position += 1
        }
        return count - other.count
    }

    func starts(with part: UnsafeRawBufferPointer) -> Bool {
        part.count <= count && has(part, at: 0)
    }

    func ends(with part: UnsafeRawBufferPointer) -> Bool {
        part.count <= count && has(part, at: count - part.count)
    }

    func contains(part: UnsafeRawBufferPointer) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= count else { return false }
        for position in 0...count - part.count where self[position] == first {
            if has(part, at: position) { return true }
        }
        return false
    }

    private func has(_ part: UnsafeRawBufferPointer, at position: Int) -> Bool {
        UnsafeRawBufferPointer(rebasing: self[position..<position + part.count]).order(to: part) == 0
    }

    private func word(at position: Int) -> UInt64 {
        loadUnaligned(fromByteOffset: position, as: UInt64.self)
    }
}
