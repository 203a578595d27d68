/// Something to be found that the configuration describes.
struct RedactionRule: Sendable {
    /// The checks that a match can be put to.
    enum Check: String, CaseIterable, Sendable {
        case none, luhn, verhoeff
    }

    let name: String
    let pattern: RegularExpression
    /// The pattern is only tried on a text that has one of these.
    let keywords: [[UInt8]]
    let check: Check
    /// One of these must stand within 64 bytes before a match or 32 behind it.
    let context: [[UInt8]]
    let action: RedactionAction
    /// What stands in the place of a match that is masked.
    let mask: [UInt8]
    /// Of the OpenTelemetry Collector's `hash_function`: a match becomes its hash in hexadecimal digits.
    var digest: CollectorHash?

    static let maximumCount = 190

    /// - Returns: nil where time was up before it was known.
    func mayStand(in text: UnsafeRawBufferPointer, until deadline: ContinuousClock.Instant) -> Bool? {
        if keywords.isEmpty { return true }
        for keyword in keywords {
            // To look at the clock takes as long as a short text.
            if text.count > 4096, ContinuousClock.now > deadline { return nil }
            if Self.has(keyword, text, 0..<text.count) { return true }
        }
        return false
    }

    func accepts(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        if !context.isEmpty {
            let near = max(0, range.lowerBound - 64)..<min(text.count, range.upperBound + 32)
            guard context.contains(where: { Self.has($0, text, near) }) else { return false }
        }
        guard check != .none else { return true }
        let digits = text[range].filter(isDigit).map { $0 - 48 }
        return digits.withUnsafeBufferPointer { digits in
            guard let base = digits.baseAddress else { return false }
            return check == .luhn ? Checksums.luhn(base, digits.count) : Checksums.verhoeff(base, digits.count)
        }
    }

    /// Whether a word stands there, in small letters or capitals. `word` has small ones.
    private static func has(_ word: [UInt8], _ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        guard word.count <= range.count, let first = word.first else { return false }
        for start in range.lowerBound...(range.upperBound - word.count) {
            let byte = text[start]
            guard (isLetter(byte) ? byte | 0x20 : byte) == first else { continue }
            let isSame = word.indices.allSatisfy {
                let byte = text[start + $0]
                return (isLetter(byte) ? byte | 0x20 : byte) == word[$0]
            }
            if isSame { return true }
        }
        return false
    }
}
