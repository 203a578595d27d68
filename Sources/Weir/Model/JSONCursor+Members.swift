extension JSONCursor {
    /// Goes through the members of objects, also of those in lists, that stand in fewer than `depth` others. Of what is
    /// no JSON it finds what stands before.
    /// - Parameter body: is given the name, and of a value that is no object and no list the text, without quotes,
    ///   whether it had some, and whether it has escapes.
    mutating func forEachMember(
        depth: Int,
        _ body: (
            _ name: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer, _ isString: Bool, _ hasEscapes: Bool
        ) -> Void
    ) {
        let isObject = peek() == UInt8(ascii: "{")
        guard depth > 0, isObject || peek() == UInt8(ascii: "[") else {
            if !skip() { giveUp() }
            return
        }
        at += 1
        while at < text.count {
            switch peek() {
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                at += 1
                return
            case UInt8(ascii: ","):
                at += 1
                continue
            default: break
            }
            var name = 0..<0
            if isObject {
                guard peek() == UInt8(ascii: "\"") else { return giveUp() }
                name = skipString().inside
                guard peek() == UInt8(ascii: ":") else { return giveUp() }
                at += 1
            }
            switch peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["): forEachMember(depth: depth - 1, body)
            case UInt8(ascii: "\""):
                let (inside, hasEscapes, _) = skipString()
                if isObject { body(bytes(name), bytes(inside), true, hasEscapes) }
            default:
                let word = skipBare()
                guard !word.isEmpty else { return giveUp() }
                if isObject { body(bytes(name), bytes(word), false, false) }
            }
        }
    }

    private mutating func giveUp() { at = text.count }
}
