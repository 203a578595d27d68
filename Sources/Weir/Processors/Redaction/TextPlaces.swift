/// The places of a text at which ``TextScanner`` has to look, sixty-four bytes at a time.
///
/// A look costs as much as passing over a hundred bytes, mostly since no processor foresees it. So what the neighbours
/// of a byte can tell is asked of all sixty-four at once, or without a branch. What is named may turn out to be
/// nothing; what is not named is nothing.
struct TextPlaces: BitwiseCopyable {
    // What the block before says of the first byte of the next: a bit each.
    private var afterDigit: UInt64 = 0
    private var afterWord: UInt64 = 0
    /// The block ended in letters that begin a word.
    private var inLetters: UInt64 = 0

    private let prefixEndings = TokenPrefix.endings
    private let nameEndings = SecretWords.endings

    /// - Parameter position: 0 at first, and 64 more each time.
    /// - Returns: a bit for each place, the lowest for the byte at `position`.
    @inline(__always)
    mutating func next(_ text: TextBytes, _ position: Int) -> UInt64 {
        let count = min(64, text.count - position)
        let of = TextClasses(text.base + position, count)
        let words = of.digits | of.letters | of.underscores
        let afterWords = words << 1 | afterWord

        // A run of digits; behind letters only where these begin a word. Adding where letters begin to the letters
        // carries to the byte behind them.
        let begins = of.letters & ~afterWords | inLetters
        let (sum, isOpen) = of.letters.addingReportingOverflow(begins)
        let runs = of.digits & ~(of.digits << 1 | afterDigit)
        var places = runs & (~afterWords | sum & ~of.letters)

        places |= of.rare
        // Of what follows the last byte nothing is known here, so that it may be anything.
        // Five hyphens, or hardware addresses.
        let second = of.dashes & (of.dashes >> 1 | 1 << 63)
        let third = of.dashes >> 2 & of.dashes >> 3 & of.dashes >> 4 | 0xF << 60
        places |= second & third
        places |= of.dashes & afterWords & (of.dashes >> 3 | 0x7 << 61) & (of.dashes >> 6 | 0x3F << 58)

        let prefixes = (of.dashes | of.dots | of.underscores) & afterWords & (words >> 1 | 1 << 63) & ~places
        places |= Self.those(of: prefixes, position) { at in
            guard at > 1 else { return false }
            let ending = TokenPrefix.ending(text.base[at - 2], text.base[at - 1])
            return prefixEndings[ending >> 6] & 1 << UInt64(ending & 63) != 0
        }
        places |= Self.those(of: of.assignments, position) {
            text.mayBeInAddress($0) || text.mayAssign($0, nameEndings)
        }

        afterDigit = of.digits >> 63
        afterWord = words >> 63
        inLetters = isOpen ? 1 : 0
        return count < 64 ? places & (1 << UInt64(count) - 1) : places
    }

    @inline(__always)
    private static func those(of candidates: UInt64, _ position: Int, which isOne: (Int) -> Bool) -> UInt64 {
        var (left, those) = (candidates, 0 as UInt64)
        while left != 0 {
            let others = left & (left - 1)
            if isOne(position + left.trailingZeroBitCount) { those |= left ^ others }
            left = others
        }
        return those
    }
}
