/// Where the frames of a zstd file begin: the last frame of the file, in zstd's "seekable format" 0.1.0, whose readers
/// begin anywhere. All others skip it.
struct SeekTable {
    /// Frames of a file; one with more has no table.
    static let maximumFrames = 1 << 18
    /// What each frame adds to the table, in bytes.
    static let entryLength = 8

    private static let skippableFrame: UInt32 = 0x184D_2A5E
    private static let magic: UInt32 = 0x8F92_EAB1

    /// Bytes at the end of the table: Number_Of_Frames, Seek_Table_Descriptor, magic number.
    static let footer = 9

    /// Bytes of the table that a file ends with, with the head of its frame; 0 where it has none.
    /// - Parameter tail: the last ``footer`` bytes of the file.
    static func length(atEndOf tail: [UInt8]) -> Int {
        guard tail.count == footer, Array(tail.suffix(4)) == magic.littleEndianBytes else { return 0 }
        let frames = tail.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        return 8 + frames * entryLength + footer
    }

    private struct Frame {
        let compressed: Int
        let content: Int
    }

    /// Those after ``maximumFrames`` are only counted.
    private var frames: [Frame] = []
    private(set) var count = 0

    mutating func append(compressed: Int, content: Int) {
        if count < Self.maximumFrames { frames.append(Frame(compressed: compressed, content: content)) }
        count += 1
    }

    /// Only the first ones are left.
    mutating func cut(to count: Int) {
        self.count = count
        frames.removeLast(max(0, frames.count - count))
    }

    /// Nothing where it would have no frames, or too many.
    /// - Parameter footer: bytes of a skippable frame that stands between the last of the frames and the table.
    func bytes(after footer: Int) -> [UInt8] {
        guard count > 0, count <= Self.maximumFrames else { return [] }
        let frames = frames + [Frame(compressed: footer, content: 0)]
        var table: [UInt8] = []
        for frame in frames {
            guard let compressed = UInt32(exactly: frame.compressed), let content = UInt32(exactly: frame.content)
            else {
                return []
            }
            table += compressed.littleEndianBytes + content.littleEndianBytes
        }
        // Number_Of_Frames; Seek_Table_Descriptor, whose bit for checksums is not set: each frame has its own.
        table += UInt32(frames.count).littleEndianBytes + [0] + Self.magic.littleEndianBytes
        return Self.skippableFrame.littleEndianBytes + UInt32(table.count).littleEndianBytes + table
    }
}

extension UInt32 {
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
