/// A text with the digits, letters and marks of Chinese and Japanese keyboards (U+FF01 to U+FF5E, and the space U+3000)
/// as those of ASCII, which they look like but for their width.
struct NarrowText {
    /// Followed by sixteen bytes that can be read.
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count - 16 }
    var text: ArraySlice<UInt8> { bytes[..<count] }

    init(_ text: UnsafeRawBufferPointer) {
        bytes.reserveCapacity(text.count + 16)
        var at = 0
        while at < text.count {
            let (byte, width) = Self.narrow(text, at)
            bytes.append(byte)
            at += width
        }
        bytes += [UInt8](repeating: 0, count: 16)
    }

    /// The byte that takes the place of what stands there, and how many that takes.
    static func narrow(_ text: UnsafeRawBufferPointer, _ at: Int) -> (byte: UInt8, width: Int) {
        guard text[at] == 0xEF || text[at] == 0xE3, at + 2 < text.count else { return (text[at], 1) }
        switch (text[at], text[at + 1], text[at + 2]) {
        case (0xEF, 0xBC, 0x81...0xBF): return (text[at + 2] - 0x60, 3)
        case (0xEF, 0xBD, 0x80...0x9E): return (text[at + 2] - 0x20, 3)
        case (0xE3, 0x80, 0x80): return (UInt8(ascii: " "), 3)
        default: return (text[at], 1)
        }
    }

    /// Puts the findings, which are in order, where they are in the text as it was.
    func restore(_ findings: borrowing RecordBuffer<RedactionFinding>, of text: UnsafeRawBufferPointer) {
        var (wide, narrow) = (0, 0)
        func place(_ target: Int) -> Int {
            while narrow < target {
                wide += Self.narrow(text, wide).width
                narrow += 1
            }
            return wide
        }
        for index in 0..<findings.count {
            let finding = findings[index]
            findings[index] = RedactionFinding(
                start: place(finding.start), end: place(finding.end), kind: finding.kind)
        }
    }
}
