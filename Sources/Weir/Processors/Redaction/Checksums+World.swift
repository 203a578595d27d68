extension Checksums {
    static func aadhaar(_ d: Digits) -> Bool {
        guard d[0] > 1, !(0..<6).allSatisfy({ d[$0] == d[11 - $0] }) else { return false }
        return verhoeff(d, 12)
    }

    static func southAfrican(_ d: Digits) -> Bool {
        isDate(day: number(d, 4..<6), month: number(d, 2..<4)) && d[10] < 2 && luhn(d, 13)
    }

    static func koreanDate(_ d: Digits) -> Bool {
        isDate(day: number(d, 4..<6), month: number(d, 2..<4))
    }

    /// Numbers given out since October 2020 have no check digit.
    static func rrn(_ d: Digits) -> Bool {
        number(d, 7..<9) <= 96 && koreanDate(d) && (11 - weighted(d, "234567892345") % 11) % 10 == Int(d[12])
    }

    /// `last` is a digit or X.
    static func chineseIdentity(_ d: Digits, last: UInt8) -> Bool {
        let checks: StaticString = "10X98765432"
        let year = number(d, 6..<10)
        guard (1850...2100).contains(year), (11...91).contains(number(d, 0..<2)),
            isDate(day: number(d, 12..<14), month: number(d, 10..<12), year: year)
        else { return false }
        return checks.utf8Start[weighted(d, "79:584216379:5842") % 11] == last
    }

    static func myNumber(_ d: Digits) -> Bool {
        let rest = weighted(d, "65432765432") % 11
        return (rest <= 1 ? 0 : 11 - rest) == Int(d[11]) && !areEqual(d, 12)
    }

    static func tfn(_ d: Digits) -> Bool {
        weighted(d, "14375869:") % 11 == 0 && number(d, 0..<9) != 0
    }

    static func abn(_ d: Digits) -> Bool {
        d[0] != 0 && (weighted(d, ":13579;=?AC") - 10) % 89 == 0
    }

    /// Issuer ranges of payment cards with the lengths that they have (ISO/IEC 7812, and what the networks publish).
    static func isCard(_ d: Digits, _ count: Int) -> Bool {
        let two = number(d, 0..<2)
        let four = number(d, 0..<4)
        let fits =
            switch two {
            case 40...49: count == 16 || count == 13 || count == 19
            case 51...55: count == 16
            case 22...27: (2221...2720).contains(four) && count == 16 || (2200...2204).contains(four) && count >= 16
            case 34, 37: count == 15
            case 35: count == 16 || (3528...3589).contains(four) && count > 16
            case 30: (3000...3059).contains(four) && count >= 14 && count != 15 || four == 3095 && count == 14
            case 36, 38, 39: count == 14 || count == 16 || count == 19
            case 62: count >= 16
            case 64, 65: count >= 16 && four >= 6440
            case 50, 56...61, 63, 66...69: count >= 12
            case 18, 21: (four == 1800 || four == 2131) && count == 15
            default: false
            }
        return fits && !areEqual(d, count) && luhn(d, count)
    }

    /// Prefixes that the Internal Revenue Service gives out, of two digits.
    static func ein(_ d: Digits) -> Bool {
        switch number(d, 0..<2) {
        case 1...6, 10...16, 20...27, 30...48, 50...68, 71...77, 80...88, 90...95, 98, 99: true
        default: false
        }
    }

    /// ISO 6166: a country, nine characters, and the Luhn digit of all, letters counting from ten.
    static func isin(_ text: UnsafePointer<UInt8>) -> Bool {
        guard isLetter(text[0]), isLetter(text[1]), isDigit(text[11]) else { return false }
        var digits = InlineArray<24, UInt8>(repeating: 0)
        var count = 0
        for place in 0..<12 {
            let value = alphanumeric(text[place])
            if value > 9 {
                digits[count] = value / 10
                count += 1
            }
            digits[count] = value % 10
            count += 1
        }
        var sum = 0
        for place in 0..<count {
            let value = Int(digits[count - 1 - place]) * (place % 2 == 0 ? 1 : 2)
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0
    }

    /// ISO 17442: eighteen characters and two digits, by ISO 7064 MOD 97-10.
    static func lei(_ text: UnsafePointer<UInt8>) -> Bool {
        guard isDigit(text[18]), isDigit(text[19]) else { return false }
        let rest = (0..<20).reduce(0) { rest, place in
            let value = Int(alphanumeric(text[place]))
            return (rest * (value > 9 ? 100 : 10) + value) % 97
        }
        return rest == 1
    }

    private static func alphanumeric(_ byte: UInt8) -> UInt8 { isDigit(byte) ? byte - 48 : byte - 55 }

    /// The whole length of an IBAN of a country, 0 where there is none (SWIFT IBAN registry).
    static func ibanLength(_ first: UInt8, _ second: UInt8) -> Int {
        let table: StaticString =
            """
            AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18\
            FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20\
            LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24\
            SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30
            """
        let text = table.utf8Start
        for index in stride(from: 0, to: table.utf8CodeUnitCount, by: 4)
        where text[index] == first && text[index + 1] == second {
            return Int(text[index + 2] - 48) * 10 + Int(text[index + 3] - 48)
        }
        return 0
    }
}
