/// Where something stands inside of an attribute's value.
struct MemberPlace: ~Copyable {
    /// Bytes of names and of a pointer that are kept.
    static let maxLength = 4096

    /// The key of the attribute and the names of members, with dots between. Elements of a list stand where it does.
    private(set) var path: [UInt8]
    /// As RFC 6901 writes it, from the attribute's value on. A text that is JSON is no step of its own.
    private(set) var pointer: [UInt8] = []
    /// Where in the path the first member's dot stands.
    let below: Int
    /// Where each part of the path ends, with a number that no other step of this walk has: what is known of a part
    /// holds for all that stands below it.
    private(set) var steps: [(end: Int, number: Int)]
    private var entered = 0

    /// Of the attribute. In the memory of the batch.
    let key: UnsafeRawBufferPointer

    /// - Parameter key: has to stay as long as the place is asked for it.
    init(_ key: UnsafeRawBufferPointer) {
        self.key = key
        path = Array(key)
        below = key.count
        steps = [(key.count, 0)]
    }

    var isOfMember: Bool { path.count > below }
    var isTooLong: Bool { path.count - below > Self.maxLength || pointer.count > 2 * Self.maxLength }

    /// As it was before a step.
    typealias Mark = (path: Int, pointer: Int, steps: Int)

    var mark: Mark { (path.count, pointer.count, steps.count) }

    mutating func goBack(to mark: Mark) {
        path.removeLast(path.count - mark.path)
        pointer.removeLast(pointer.count - mark.pointer)
        steps.removeLast(steps.count - mark.steps)
    }

    mutating func enter(_ name: UnsafeRawBufferPointer) {
        path.append(UInt8(ascii: "."))
        path += name
        entered += 1
        steps.append((path.count, entered))
        pointer.append(UInt8(ascii: "/"))
        for byte in name {
            switch byte {
            case UInt8(ascii: "~"): pointer += [byte, UInt8(ascii: "0")]
            case UInt8(ascii: "/"): pointer += [UInt8(ascii: "~"), UInt8(ascii: "1")]
            default: pointer.append(byte)
            }
        }
    }

    mutating func enter(element index: Int) {
        pointer.append(UInt8(ascii: "/"))
        var unit = 1
        while index / unit > 9 { unit *= 10 }
        while unit > 0 {
            pointer.append(UInt8(ascii: "0") + UInt8(index / unit % 10))
            unit /= 10
        }
    }

    /// A JSON text that stands behind others in one text.
    mutating func enter(document index: Int) {
        pointer += Array("/~#\(index)".utf8)
    }
}
