/// The check digits of the numbers that states and banks give out. Each takes values from 0 to 9, not characters.
///
/// Sources are the publications of the issuers; the vectors of python-stdnum are the tests.
enum Checksums {
    typealias Digits = UnsafePointer<UInt8>

    /// ISO/IEC 7812-1, annex B.
    static func luhn(_ d: Digits, _ count: Int) -> Bool {
        luhnSum(d, count) % 10 == 0
    }

    static func luhnSum(_ d: Digits, _ count: Int) -> Int {
        var sum = 0
        for index in 0..<count {
            let value = Int(d[count - 1 - index])
            let doubled = value * 2
            sum += index % 2 == 0 ? value : doubled > 9 ? doubled - 9 : doubled
        }
        return sum
    }

    /// The sum of the digits, each times its weight. Weights are written as characters from `0` on, so `:` is ten.
    @inline(__always)
    static func weighted(_ d: Digits, _ weights: StaticString) -> Int {
        var sum = 0
        for index in 0..<weights.utf8CodeUnitCount {
            sum += Int(d[index]) * (Int(weights.utf8Start[index]) - 48)
        }
        return sum
    }

    static func number(_ d: Digits, _ range: Range<Int>) -> Int {
        range.reduce(0) { $0 * 10 + Int(d[$1]) }
    }

    /// J. Verhoeff, "Error detecting decimal codes", 1969: the dihedral group of order ten.
    static func verhoeff(_ d: Digits, _ count: Int) -> Bool {
        let product: StaticString =
            "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"
        let permutation: StaticString =
            "01234567891576283094580379614289160435279453126870428657390127938064157046913258"
        var state = 0
        for index in 0..<count {
            let value = Int(d[count - 1 - index])
            let permuted = Int(permutation.utf8Start[index % 8 * 10 + value]) - 48
            state = Int(product.utf8Start[state * 10 + permuted]) - 48
        }
        return state == 0
    }

    // MARK: Dates

    static func isDate(day: Int, month: Int, year: Int? = nil) -> Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        switch month {
        case 2:
            guard let year else { return day <= 29 }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            return day <= (isLeap ? 29 : 28)
        case 4, 6, 9, 11: return day <= 30
        default: return day <= 31
        }
    }

    // MARK: America

    static func ssn(_ d: Digits) -> Bool {
        let area = number(d, 0..<3)
        guard area != 0, area != 666, area < 900, number(d, 3..<5) != 0, number(d, 5..<9) != 0 else { return false }
        // Numbers that were printed on advertisements and in leaflets.
        return ![78_051_120, 219_099_999, 457_555_462].contains(number(d, 0..<9))
            && !(987_654_320...987_654_329).contains(number(d, 0..<9))
    }

    static func itin(_ d: Digits) -> Bool {
        let group = number(d, 3..<5)
        return d[0] == 9 && (50...99).contains(group) && ![66, 67, 68, 69, 89, 93].contains(group)
    }

    static func aba(_ d: Digits) -> Bool {
        weighted(d, "371371371") % 10 == 0
    }

    static func abaPrefix(_ d: Digits) -> Bool {
        switch number(d, 0..<2) {
        case 0...12, 21...32, 61...72, 80: number(d, 0..<9) != 0
        default: false
        }
    }

    /// The card prefix 80840 stands before the number and adds 24 to its sum.
    static func npi(_ d: Digits) -> Bool {
        (d[0] == 1 || d[0] == 2) && (luhnSum(d, 10) + 24) % 10 == 0
    }

    static func dea(_ d: Digits) -> Bool {
        let sum = Int(d[0]) + Int(d[2]) + Int(d[4]) + 2 * (Int(d[1]) + Int(d[3]) + Int(d[5]))
        return sum % 10 == Int(d[6])
    }

    static func sin(_ d: Digits) -> Bool {
        d[0] != 0 && d[0] != 8 && luhn(d, 9)
    }

    static func cpf(_ d: Digits) -> Bool {
        guard !areEqual(d, 11) else { return false }
        return weighted(d, ":98765432") * 10 % 11 % 10 == Int(d[9])
            && weighted(d, ";:98765432") * 10 % 11 % 10 == Int(d[10])
    }

    static func cnpj(_ d: Digits) -> Bool {
        func check(_ sum: Int) -> Int { sum % 11 < 2 ? 0 : 11 - sum % 11 }
        guard !areEqual(d, 14) else { return false }
        return check(weighted(d, "543298765432")) == Int(d[12]) && check(weighted(d, "6543298765432")) == Int(d[13])
    }

    static func areEqual(_ d: Digits, _ count: Int) -> Bool {
        (1..<count).allSatisfy { d[$0] == d[0] }
    }
}
