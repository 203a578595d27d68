/// Where a byte stands in a JSON text, in words: `resourceSpans[0].scopeSpans[0].spans[2].kind`. Only messages ask, so
/// it reads the text again.
struct JSONPlace {
    private enum Step {
        /// Empty where no name was read yet.
        case member(String)
        case element(Int)
    }

    /// Names that are longer or have other letters are none of OTLP's; they are not repeated.
    private static let longestName = 32
    /// What is deeper is not told.
    private static let maxSteps = 24

    private var steps: [Step] = []
    private var depth = 0

    /// - Returns: empty where the byte stands in nothing that has a name.
    static func path(of offset: Int, in text: UnsafeRawBufferPointer) -> String {
        var place = JSONPlace()
        var at = 0
        while at < min(offset, text.count) {
            if text[at] == UInt8(ascii: "\"") {
                let end = Self.end(ofString: at, in: text)
                place.read(UnsafeRawBufferPointer(rebasing: text[(at + 1)..<end]))
                at = end
            } else {
                place.read(text[at])
            }
            at += 1
        }
        return place.text
    }

    /// Where the closing quote stands, or the text ends.
    private static func end(ofString start: Int, in text: UnsafeRawBufferPointer) -> Int {
        var at = start + 1
        while at < text.count, text[at] != UInt8(ascii: "\"") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at, text.count)
    }

    private mutating func read(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"): push(.member(""))
        case UInt8(ascii: "["): push(.element(0))
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth = max(0, depth - 1)
            if steps.count > depth { steps.removeLast() }
        case UInt8(ascii: ","):
            guard depth == steps.count, let last = steps.popLast() else { return }
            switch last {
            case .member: steps.append(.member(""))
            case .element(let index): steps.append(.element(index + 1))
            }
        default: return
        }
    }

    private mutating func push(_ step: Step) {
        depth += 1
        if depth <= Self.maxSteps { steps.append(step) }
    }

    private mutating func read(_ string: UnsafeRawBufferPointer) {
        guard depth == steps.count, case .member("")? = steps.last else { return }
        let isName = string.count <= Self.longestName && string.allSatisfy(Self.isOfName)
        steps[steps.count - 1] = .member(isName ? String(decoding: string, as: UTF8.self) : "…")
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || isDigit(byte) || byte == UInt8(ascii: "_")
    }

    private var text: String {
        var text = ""
        for step in steps {
            switch step {
            case .member(let name): text += text.isEmpty || name.isEmpty ? name : ".\(name)"
            case .element(let index): text += "[\(index)]"
            }
        }
        return text
    }
}
