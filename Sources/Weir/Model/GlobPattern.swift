/// A text in which `*` stands for any run of bytes. Capitals are small letters.
struct GlobPattern: Sendable {
    private let bytes: [UInt8]

    init(_ text: String) {
        bytes = text.utf8.map(Self.lowered)
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        end(behind: text).map { bytes[$0...].allSatisfy { $0 == UInt8(ascii: "*") } } ?? false
    }

    /// Whether a text that begins like this may match.
    func mayMatch(beginningWith text: UnsafeRawBufferPointer) -> Bool { end(behind: text) != nil }

    /// How much of the pattern the text takes; nil where it does not fit. At most as many steps as pattern and text
    /// have pairs of bytes.
    private func end(behind text: UnsafeRawBufferPointer) -> Int? {
        var at = 0
        var place = 0
        var star = -1
        var resume = 0
        while at < text.count {
            let byte = Self.lowered(text[at])
            if place < bytes.count, bytes[place] == UInt8(ascii: "*") {
                (star, resume) = (place, at)
                place += 1
            } else if place < bytes.count, bytes[place] == byte {
                at += 1
                place += 1
            } else if star >= 0 {
                resume += 1
                (at, place) = (resume, star + 1)
            } else {
                return nil
            }
        }
        return place
    }

    @inline(__always)
    private static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
