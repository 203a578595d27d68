/// What travels beside the spans of a record: values with a tag each, of which an older Weir skips those that it does
/// not know.
///
/// Each value is a byte of tag, a u32 of its length, little-endian, and its bytes.
struct RecordSection: Sendable, Equatable {
    enum Tag: UInt8, CaseIterable {
        /// What spans that sampling left out would have added to usage and rollups.
        case sampledOut = 1
        /// Which records of another journal the spans come from.
        case origin = 2
        /// The spans were sampled out, and are stored after all: usage and rollups have them already.
        case promoted = 3
        /// When the spans came, where the record is of a later time: u64 nanoseconds since 1970, little-endian.
        case received = 4
    }

    private static let head = 5

    private(set) var bytes: [UInt8] = []

    /// As it stood in a record.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = Array(bytes)
    }

    init() {}

    /// - Parameter value: at most 4 GiB; a tag has one.
    mutating func add(_ tag: Tag, _ value: UnsafeRawBufferPointer) {
        bytes.reserveCapacity(bytes.count + Self.head + value.count)
        bytes.append(tag.rawValue)
        withUnsafeBytes(of: UInt32(value.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: value)
    }

    /// The same with another value of a tag that it has.
    func replacing(_ tag: Tag, with value: [UInt8]) -> RecordSection {
        var new = RecordSection()
        for other in Tag.allCases {
            let kept = other == tag ? value[...] : self.value(of: other)
            kept?.withUnsafeBytes { new.add(other, $0) }
        }
        return new
    }

    /// The value of a tag; nil where there is none.
    func value(of tag: Tag) -> ArraySlice<UInt8>? {
        bytes.withUnsafeBytes { bytes -> Range<Int>? in
            var offset = 0
            while offset + Self.head <= bytes.count {
                let start = offset + Self.head
                let end = start + Int(bytes.get(UInt32.self, at: offset + 1))
                guard end <= bytes.count else { return nil }
                if bytes[offset] == tag.rawValue { return start..<end }
                offset = end
            }
            return nil
        }.map { self.bytes[$0] }
    }
}
