/// Words that stand near a number and say what it is. A number whose shape and check digit say little is only taken
/// where one of them does.
// Sendable: the table is written in `init` and never again.
final class ContextWords: @unchecked Sendable {
    /// Bytes in front of a number and behind it in which a word counts.
    static let before = 64
    static let behind = 32
    /// Bytes in front of four numbers with dots.
    static let near = 24

    private struct Entry: BitwiseCopyable {
        var hash: UInt32
        var hints: UInt64
    }

    /// A hash table of 1,024 places, open. Nobody frees it: there is one.
    private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: 1024)

    static let standard = ContextWords()

    private init() {
        entries.initialize(repeating: Entry(hash: 0, hints: 0), count: 1024)
        for (hint, words) in Self.words {
            for word in words.split(separator: " ") {
                let hash = (Array(word.utf8) + Array(repeating: 0, count: 8)).withUnsafeBufferPointer { bytes in
                    bytes.baseAddress.map { Self.hash($0, word.utf8.count) } ?? 0
                }
                var place = Int(hash & 1023)
                while entries[place].hash != 0, entries[place].hash != hash { place = (place + 1) & 1023 }
                entries[place].hash = hash
                entries[place].hints |= hint.rawValue
            }
        }
    }

    /// Of a word's first eight bytes, its last eight and its length, small letters and capitals alike: one of the
    /// table's has no other with the same. Up to eight bytes behind the word are read.
    @inline(__always)
    private static func hash(_ word: UnsafePointer<UInt8>, _ length: Int) -> UInt32 {
        let raw = UnsafeRawPointer(word)
        let small: UInt64 = 0x2020_2020_2020_2020
        let head = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)) | small
        if length <= 8 { return mixed(head & (~0 >> UInt64(64 - 8 * length)), 0, length) }
        return mixed(
            head, UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)) | small, length)
    }

    @inline(__always)
    private static func mixed(_ head: UInt64, _ tail: UInt64, _ length: Int) -> UInt32 {
        let sum = (head ^ UInt64(length)) &* 0x9E37_79B9_7F4A_7C15 ^ tail &* 0xC2B2_AE3D_27D4_EB4F
        return UInt32(truncatingIfNeeded: sum >> 32)
    }

    /// What the words in a stretch of text hint at. Words end where letters do, and at a capital behind a small letter.
    /// - Parameter range: of at most sixty-four bytes, with sixteen behind them that can be read.
    func hints(in text: UnsafePointer<UInt8>, _ range: Range<Int>) -> DetectorSet {
        let start = text + range.lowerBound
        let classes = WordClasses(start, range.count)
        var letters = range.count < 64 ? classes.letters & (1 << UInt64(range.count) - 1) : classes.letters
        let firsts = letters & ~(letters << 1)
        let splits = classes.capitals & (letters & ~classes.capitals & ~firsts) << 1
        var found: UInt64 = 0
        while letters != 0 {
            let first = letters.trailingZeroBitCount
            var end = first + 1
            if first > 0, start[first - 1] == UInt8(ascii: "["), let mask = Self.maskEnd(start, first, range.count) {
                end = mask
            } else {
                end = min(64, end + ((~letters | splits) >> UInt64(end)).trailingZeroBitCount)
                if end - first > 1 { found |= lookUp(Self.hash(start + first, end - first)) }
                if start[first] >= 0xE3 { found |= pairs(start, first..<end) }
                // Of "WhatsApp", both parts and the whole.
                if end < 64, firsts & 1 << UInt64(first) != 0, splits & 1 << UInt64(end) != 0 {
                    let whole = min(64, end + (~letters >> UInt64(end)).trailingZeroBitCount)
                    found |= lookUp(Self.hash(start + first, whole - first))
                }
            }
            letters &= ~0 << UInt64(end)
        }
        return DetectorSet(rawValue: found)
    }

    /// Chinese and Japanese have no spaces: any two characters can be a word.
    private func pairs(_ text: UnsafePointer<UInt8>, _ range: Range<Int>) -> UInt64 {
        var found: UInt64 = 0
        for at in stride(from: range.lowerBound, to: range.upperBound - 5, by: 3) where text[at] >= 0xE3 {
            found |= lookUp(Self.hash(text + at, 6))
        }
        return found
    }

    /// What the words in a key hint at, of which only the last sixty-four bytes count.
    func hints(inKey key: UnsafeRawBufferPointer) -> DetectorSet {
        let end = key.suffix(64)
        return (Array(end) + Array(repeating: 0, count: 16)).withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { hints(in: $0, 0..<end.count) } ?? []
        }
    }

    /// Where a mask such as `[CREDIT_CARD]` or `[EMAIL_2]` ends. Its words say nothing of what stands beside it.
    private static func maskEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var at = start
        while at < end, text[at] &- UInt8(ascii: "A") < 26 || text[at] == UInt8(ascii: "_") || isDigit(text[at]) {
            at += 1
        }
        return at < end && text[at] == UInt8(ascii: "]") ? at : nil
    }

    @inline(__always)
    private func lookUp(_ hash: UInt32) -> UInt64 {
        var place = Int(hash & 1023)
        while entries[place].hash != 0 {
            if entries[place].hash == hash { return entries[place].hints }
            place = (place + 1) & 1023
        }
        return 0
    }

    private static let words: [(DetectorSet, String)] = [
        (
            DetectorSet(.phone),
            "phone phones telephone tel mobile mobil cell cellphone handy fax facsimile telefax whatsapp sms dial "
                + "msisdn gsm hotline telefon telefono telefoon telefone teléfono téléphone telefonnummer handynummer "
                + "rufnummer móvil portable mob landline pager voicemail celular cellulare puhelin matkapuhelin "
                + "тел Тел телефон Телефон мобильный 手机 电话 電話 携帯 联系"
        ),
        (
            .phoneLoosely,
            "call calls called calling contact reach number office ring text line helpline phoned answer answering "
                + "appel anrufen numéro numero número numer nummer soita"
        ),
        (
            DetectorSet(.creditCard),
            "card cards credit debit visa mastercard amex maestro discover diners jcb unionpay cc ccn kreditkarte carte"
        ),
        (DetectorSet(.usSsn), "ssn social ssns"), (DetectorSet(.usItin), "itin taxpayer"),
        (DetectorSet(.abaRouting), "routing aba rtn"), (DetectorSet(.usEin), "ein fein employer"),
        (DetectorSet(.ipAddress), "ip ips address ipv4 ipaddress"),
        (DetectorSet(.macAddress), "mac hwaddr ether lladdr bssid"),
        (.version, "version kernel section chapter table release v ver clause figure"),
        (DetectorSet(.usNpi), "npi"), (DetectorSet(.usDea), "dea"),
        (DetectorSet(.ukNhs), "nhs"), (DetectorSet(.ukUtr), "utr"),
        (DetectorSet(.passport), "passport passports passeport reisepass pasaporte passaporto paspoort"),
        (DetectorSet(.inAadhaar), "aadhaar aadhar uidai"), (DetectorSet(.brCpf), "cpf"),
        (DetectorSet(.brCnpj), "cnpj"), (DetectorSet(.caSin), "sin nas"),
        (DetectorSet(.zaId), "identity idnumber rsaid"), (DetectorSet(.imei), "imei"),
        (DetectorSet(.sePersonnummer), "personnummer personnr samordningsnummer"),
        (DetectorSet(.deTaxId), "steuer steuerid idnr steueridnr steueridentifikationsnummer identifikationsnummer"),
        (DetectorSet(.nlBsn), "bsn burgerservicenummer sofinummer"),
        (DetectorSet(.beNationalNumber), "rijksregisternummer rijksregister insz niss registre rrn"),
        (DetectorSet(.plPesel), "pesel"), (DetectorSet(.ptNif), "nif contribuinte"),
        (DetectorSet(.noFodselsnummer), "fødselsnummer fodselsnummer personnummer fnr"),
        (DetectorSet(.dkCpr), "cpr personnummer"), (DetectorSet(.trKimlik), "kimlik tckn tc"),
        (DetectorSet(.krRrn), "rrn 주민등록번호"), (DetectorSet(.jpMyNumber), "mynumber マイナンバー 個人番号"),
        (DetectorSet(.auTfn), "tfn"), (DetectorSet(.auAbn), "abn"), (DetectorSet(.chAhv), "ahv avs ahvn"),
        (
            DetectorSet(.dateOfBirth),
            "dob birth birthday birthdate born geboren geburtsdatum naissance nacimiento nascita geboortedatum"
        ),
    ]
}
