/// The names in one object or list of attributes, so that no two of them become the same: of those most readers keep
/// one alone, and lose the value of the other.
struct MemberNames {
    /// By a name's hash, the number that was given last to those that would all be called so; 0 for a name that stands
    /// there as it came.
    private var numbers: [Int: Int] = [:]

    @inline(__always)
    mutating func forget() {
        if !numbers.isEmpty { numbers = [:] }
    }

    /// - Parameter new: the name without what stood in it; nil where nothing did.
    /// - Returns: the name as it is to be; nil where it stays.
    mutating func take(_ old: UnsafeRawBufferPointer, _ new: [UInt8]?) -> [UInt8]? {
        if let new { return unique(new) }
        // Only what was redacted earlier can be what a name becomes now.
        guard !numbers.isEmpty || old.last == UInt8(ascii: "]") else { return nil }
        let hash = Self.hash(old)
        if numbers[hash, default: 0] > 0 { return unique(Array(old)) }
        numbers[hash] = 0
        return nil
    }

    private mutating func unique(_ name: [UInt8]) -> [UInt8] {
        let hash = name.withUnsafeBytes(Self.hash)
        guard var number = numbers[hash] else {
            numbers[hash] = 1
            return name
        }
        number = max(1, number)
        var result: [UInt8]
        repeat {
            number += 1
            result = Self.numbered(name, number)
        } while numbers[result.withUnsafeBytes(Self.hash)] != nil
        numbers[hash] = number
        numbers[result.withUnsafeBytes(Self.hash)] = 1
        return result
    }

    /// `[EMAIL_2]`, or `to [EMAIL] only_2`
    private static func numbered(_ name: [UInt8], _ number: Int) -> [UInt8] {
        let suffix = Array("_\(number)".utf8)
        return name.last == UInt8(ascii: "]") ? name.dropLast() + suffix + [UInt8(ascii: "]")] : name + suffix
    }

    private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }
}
