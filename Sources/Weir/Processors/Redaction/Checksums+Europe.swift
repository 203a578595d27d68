extension Checksums {
    static func nhs(_ d: Digits) -> Bool {
        let check = 11 - weighted(d, ":98765432") % 11
        return check != 10 && check % 11 == Int(d[9])
    }

    static func utr(_ d: Digits) -> Bool {
        let checks: StaticString = "21987654321"
        return checks.utf8Start[weighted(d + 1, "6789:5432") % 11] - 48 == d[0]
    }

    static func bsn(_ d: Digits) -> Bool {
        let sum = weighted(d, "98765432") - Int(d[8])
        return sum % 11 == 0 && number(d, 0..<9) != 0
    }

    static func belgian(_ d: Digits) -> Bool {
        // Numbers of those who have no certain date of birth have 20 or 40 added to the month, or none.
        let month = number(d, 2..<4) % 20
        let day = number(d, 4..<6)
        guard month <= 12, day <= 31 else { return false }
        let serial = number(d, 0..<9)
        let check = number(d, 9..<11)
        return 97 - serial % 97 == check || 97 - (2_000_000_000 + serial) % 97 == check
    }

    static func pesel(_ d: Digits) -> Bool {
        let month = number(d, 2..<4)
        let year = [1900, 2000, 2100, 2200, 1800][month / 20] + number(d, 0..<2)
        guard isDate(day: number(d, 4..<6), month: month % 20, year: year) else { return false }
        return (10 - weighted(d, "1379137913") % 10) % 10 == Int(d[10])
    }

    static func nif(_ d: Digits) -> Bool {
        let check = 11 - weighted(d, "98765432") % 11
        return d[0] != 0 && (check > 9 ? 0 : check) == Int(d[8])
    }

    static func fodselsnummer(_ d: Digits) -> Bool {
        let day = number(d, 0..<2)
        let month = number(d, 2..<4)
        // D numbers have 40 added to the day, H numbers to the month, synthetic ones 80.
        guard isDate(day: day > 40 ? day - 40 : day, month: month > 80 ? month - 80 : month > 40 ? month - 40 : month)
        else { return false }
        return (weighted(d, "376189452") + Int(d[9])) % 11 == 0
            && (weighted(d, "5432765432") + Int(d[10])) % 11 == 0
    }

    /// Ten digits, without the century.
    static func personnummer(_ d: Digits) -> Bool {
        let day = number(d, 4..<6)
        return isDate(day: day > 60 ? day - 60 : day, month: number(d, 2..<4)) && luhn(d, 10)
    }

    /// Since 2007 there is no check digit.
    static func cpr(_ d: Digits) -> Bool {
        isDate(day: number(d, 0..<2), month: number(d, 2..<4))
    }

    static func germanTax(_ d: Digits) -> Bool {
        guard d[0] != 0 else { return false }
        var product = 10
        var counts = InlineArray<10, UInt8>(repeating: 0)
        for index in 0..<10 {
            counts[Int(d[index])] += 1
            var sum = (Int(d[index]) + product) % 10
            if sum == 0 { sum = 10 }
            product = sum * 2 % 11
        }
        // Of the first ten digits exactly one stands there twice or three times.
        var repeated = 0
        for digit in 0..<10 where counts[digit] > 1 {
            if counts[digit] > 3 { return false }
            repeated += 1
        }
        return repeated == 1 && (11 - product) % 10 == Int(d[10])
    }

    /// Fifteen digits; `offset` is what the letter of a Corsican department takes off the number.
    static func nir(_ d: Digits, offset: Int = 0) -> Bool {
        guard [1, 2, 3, 4, 7, 8].contains(d[0]) else { return false }
        return 97 - (number(d, 0..<13) - offset) % 97 == number(d, 13..<15)
    }

    static func ahv(_ d: Digits) -> Bool {
        number(d, 0..<3) == 756 && (weighted(d, "131313131313") + Int(d[12])) % 10 == 0
    }

    static func kimlik(_ d: Digits) -> Bool {
        guard d[0] != 0 else { return false }
        let tenth = (weighted(d, "707070707") - weighted(d, "01010101") + 100) % 10
        return tenth == Int(d[9]) && weighted(d, "1111111111") % 10 == Int(d[10])
    }

    /// The letter of a Spanish identity number.
    static func dni(_ number: Int, _ letter: UInt8) -> Bool {
        let letters: StaticString = "TRWAGMYFPDXBNJZSQVHLCKE"
        return letters.utf8Start[number % 23] == letter
    }

    static func hetu(_ d: Digits, _ check: UInt8) -> Bool {
        let letters: StaticString = "0123456789ABCDEFHJKLMNPRSTUVWXY"
        guard isDate(day: number(d, 0..<2), month: number(d, 2..<4)) else { return false }
        return letters.utf8Start[number(d, 0..<9) % 31] == check
    }

    /// Sixteen letters and digits, as they are written, in capitals.
    static func fiscalCode(_ text: UnsafePointer<UInt8>) -> Bool {
        // What A to Z, and 0 to 9, count in odd places; in even ones they count as they follow each other.
        let odd: StaticString =
            """
            \u{1}\u{0}\u{5}\u{7}\u{9}\u{D}\u{F}\u{11}\u{13}\u{15}\
            \u{2}\u{4}\u{12}\u{14}\u{B}\u{3}\u{6}\u{8}\u{C}\u{E}\u{10}\u{A}\u{16}\u{19}\u{18}\u{17}
            """
        var sum = 0
        for index in 0..<15 {
            let byte = text[index]
            let value = byte < 65 ? Int(byte) - 48 : Int(byte) - 65
            guard (0..<26).contains(value) else { return false }
            sum += index % 2 == 0 ? Int(odd.utf8Start[value]) : value
        }
        return sum % 26 + 65 == Int(text[15])
    }
}
