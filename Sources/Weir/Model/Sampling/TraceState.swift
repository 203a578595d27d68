/// A trace state, W3C's list of what tracing systems say to themselves, as far as it says something of sampling: `th`
/// and `rv` of its member `ot`. It points into what it was read from.
struct TraceState {
    /// Bytes, members, and bytes of OpenTelemetry's member. What has more is not read, and nothing is made that has.
    static let maxLength = 1024
    static let maxMembers = 32
    /// "The complete list length MUST NOT exceed 256 characters."
    static let maxListLength = 256

    /// How many of its kind were rejected before this span; nil where nobody says.
    private(set) var threshold: SamplingThreshold?
    /// What to decide by instead of the trace id; nil where nobody says.
    private(set) var randomness: SamplingRandomness?

    private let text: UnsafeRawBufferPointer
    private var members = 0
    /// The value of `ot`, and all between the commas around it.
    private var list: Range<Int>?
    private var member = 0..<0

    /// - Returns: nil where it is not what W3C and OpenTelemetry say it is, or over a limit.
    init?(_ text: UnsafeRawBufferPointer) {
        self.text = text
        guard !text.isEmpty else { return }
        guard text.count <= Self.maxLength else { return nil }
        var start = 0
        while start <= text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: ",")) ?? text.count
            guard read(memberIn: start..<end) else { return nil }
            start = end + 1
        }
    }

    var hasSamplingInformation: Bool { threshold != nil || randomness != nil }
}

// MARK: - Reading

extension TraceState {
    /// A member may be empty, and may have blanks around it.
    private mutating func read(memberIn part: Range<Int>) -> Bool {
        guard let first = part.first(where: { !isBlank($0) }), let last = part.last(where: { !isBlank($0) }) else {
            return true
        }
        guard let sign = text[first...last].firstIndex(of: UInt8(ascii: "=")) else { return false }
        members += 1
        let (key, value) = (first..<sign, sign + 1..<last + 1)
        guard members <= Self.maxMembers, isKey(key), isValue(value) else { return false }
        guard key.count == 2, text[first] == UInt8(ascii: "o"), text[first + 1] == UInt8(ascii: "t") else {
            return true
        }
        guard list == nil else { return false }
        (list, member) = (value, part)
        return read(list: value)
    }

    /// `list-member *( ";" list-member )`
    private mutating func read(list: Range<Int>) -> Bool {
        guard list.count <= Self.maxListLength else { return false }
        var isSound = true
        Self.eachField(of: list, in: text) { key, value in
            guard isFieldKey(key), isFieldValue(value) else {
                isSound = false
                return
            }
            if isField(key, "th") {
                guard threshold == nil, let value = SamplingThreshold(text: slice(value)) else {
                    isSound = false
                    return
                }
                threshold = value
            } else if isField(key, "rv") {
                guard randomness == nil, let value = SamplingRandomness(text: slice(value)) else {
                    isSound = false
                    return
                }
                randomness = value
            }
        }
        return isSound
    }

    /// `key ":" value`, each; without a colon all of it is the key.
    private static func eachField(
        of list: Range<Int>, in text: UnsafeRawBufferPointer, _ body: (Range<Int>, Range<Int>) -> Void
    ) {
        var start = list.lowerBound
        while start <= list.upperBound {
            let end = text[start..<list.upperBound].firstIndex(of: UInt8(ascii: ";")) ?? list.upperBound
            let sign = text[start..<end].firstIndex(of: UInt8(ascii: ":"))
            body(start..<(sign ?? end), (sign.map { $0 + 1 } ?? end)..<end)
            start = end + 1
        }
    }

    private func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[range])
    }

    private func isField(_ key: Range<Int>, _ name: StaticString) -> Bool {
        key.count == 2 && text[key.lowerBound] == name.utf8Start[0] && text[key.lowerBound + 1] == name.utf8Start[1]
    }
}

// MARK: - Writing

extension TraceState {
    /// Writes the trace state with this threshold, or without one, and everything else byte for byte. What is changed
    /// comes first, as W3C asks.
    /// - Parameter randomness: an `rv` to write where there was none.
    /// - Returns: false where it would be over a limit; what was written is then of no use.
    func write(
        _ threshold: SamplingThreshold?, randomness added: SamplingRandomness? = nil, to output: inout [UInt8]
    ) -> Bool {
        let start = output.count
        output += "ot=".utf8
        let listStart = output.count
        func begin() { if output.count > listStart { output.append(UInt8(ascii: ";")) } }
        if let added {
            output += "rv:".utf8
            for shift in stride(from: UInt64(52), through: 0, by: -4) {
                output.append(SamplingThreshold.digit(added.bits >> shift & 0xF))
            }
        }
        if let list {
            Self.eachField(of: list, in: text) { key, value in
                guard !isField(key, "th") else { return }
                begin()
                output += text[key.lowerBound..<value.upperBound]
            }
        }
        if let threshold {
            begin()
            output += "th:".utf8
            threshold.write(to: &output)
        }
        guard output.count - listStart <= Self.maxListLength else { return false }
        if output.count == listStart { output.removeSubrange(start...) }
        let isNew = list == nil && output.count > listStart
        writeRest(to: &output, since: start)
        return output.count - start <= Self.maxLength && !(isNew && members == Self.maxMembers)
    }

    /// The members but `ot`.
    private func writeRest(to output: inout [UInt8], since start: Int) {
        let before: Range<Int>
        var after: Range<Int>
        if list == nil {
            (before, after) = (0..<0, 0..<text.count)
        } else {
            // The comma in front of it goes, or else the one behind it.
            before = 0..<max(0, member.lowerBound - 1)
            after = member.upperBound..<text.count
            if before.isEmpty, !after.isEmpty { after = after.dropFirst() }
        }
        guard !before.isEmpty || !after.isEmpty else { return }
        if output.count > start { output.append(UInt8(ascii: ",")) }
        output += text[before]
        output += text[after]
    }
}

// MARK: - The grammar

extension TraceState {
    private func isBlank(_ index: Int) -> Bool { text[index] == 0x20 || text[index] == 0x09 }

    /// `simple-key = lcalpha 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" )`, or `tenant-id "@" system-id` of at most
    /// 241 and 14 characters, of which the first may begin with a digit.
    private func isKey(_ key: Range<Int>) -> Bool {
        guard let at = text[key].firstIndex(of: UInt8(ascii: "@")) else {
            return (1...256).contains(key.count) && isLetter(text[key.lowerBound]) && text[key].allSatisfy(isKeyByte)
        }
        let (tenant, system) = (key.lowerBound..<at, at + 1..<key.upperBound)
        return (1...241).contains(tenant.count) && (1...14).contains(system.count)
            && (isLetter(text[tenant.lowerBound]) || isDigit(text[tenant.lowerBound]))
            && isLetter(text[system.lowerBound]) && text[tenant].allSatisfy(isKeyByte)
            && text[system].allSatisfy(isKeyByte)
    }

    /// `0*255(chr) nblk-chr`; blanks at the ends are not part of it.
    private func isValue(_ value: Range<Int>) -> Bool {
        (1...256).contains(value.count) && text[value].allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x3D }
    }

    /// `lcalpha *(lcalpha / DIGIT)`
    private func isFieldKey(_ key: Range<Int>) -> Bool {
        !key.isEmpty && isLetter(text[key.lowerBound]) && text[key].allSatisfy { isLetter($0) || isDigit($0) }
            && key.upperBound < text.count && text[key.upperBound] == UInt8(ascii: ":")
    }

    private func isFieldValue(_ value: Range<Int>) -> Bool {
        text[value].allSatisfy {
            isLetter($0 | 0x20) || isDigit($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func isKeyByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == 0x5F || byte == 0x2D || byte == 0x2A || byte == 0x2F
    }
}
