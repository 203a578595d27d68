/// Words that stand near a number and say what it is. A number whose shape and check digit say little is only taken
/// where one of them does.
// Sendable: the table is written in `init` and never again.
final class ContextWords: @unchecked Sendable {
    /// Bytes in front of a number and behind it in which a word counts.
    static let before = 64
    static let behind = 32

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
                let hash = word.utf8.reduce(Self.seed) { Self.add($1, to: $0) }
                var place = Int(hash & 1023)
                while entries[place].hash != 0, entries[place].hash != hash { place = (place + 1) & 1023 }
                entries[place].hash = hash
                entries[place].hints |= hint.rawValue
            }
        }
    }

    private static let seed: UInt32 = 0x811C_9DC5

    @inline(__always)
    private static func add(_ byte: UInt8, to hash: UInt32) -> UInt32 {
        (hash ^ UInt32(byte)) &* 0x0100_0193
    }

    /// What the words in a stretch of text hint at. Words end where letters do, and at a capital behind a small letter.
    func hints(in text: UnsafePointer<UInt8>, _ range: Range<Int>) -> DetectorSet {
        var found: UInt64 = 0
        var hash = Self.seed
        var length = 0
        var previousIsSmall = false
        var index = range.lowerBound - 1
        while index + 1 < range.upperBound {
            index += 1
            let byte = text[index]
            if byte == UInt8(ascii: "["), let end = Self.maskEnd(text, index, range.upperBound) {
                index = end
                continue
            }
            let small = byte | 0x20
            let isCapital = byte &- UInt8(ascii: "A") < 26
            guard small &- UInt8(ascii: "a") < 26 || byte >= 0x80 else {
                if length > 1 { found |= lookUp(hash) }
                (hash, length, previousIsSmall) = (Self.seed, 0, false)
                continue
            }
            if isCapital, previousIsSmall, length > 1 {
                found |= lookUp(hash)
                (hash, length) = (Self.seed, 0)
            }
            hash = Self.add(byte < 0x80 ? small : byte, to: hash)
            length += 1
            previousIsSmall = !isCapital
        }
        if length > 1 { found |= lookUp(hash) }
        return DetectorSet(rawValue: found)
    }

    /// Where a mask such as `[CREDIT_CARD]` ends. Its words say nothing of what stands beside it.
    private static func maskEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var at = start + 1
        while at < end, text[at] &- UInt8(ascii: "A") < 26 || text[at] == UInt8(ascii: "_") { at += 1 }
        return at < end && at > start + 1 && text[at] == UInt8(ascii: "]") ? at : nil
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
                + "rufnummer móvil portable mob landline pager voicemail"
        ),
        (
            .phoneLoosely,
            "call calls called calling contact reach number office ring text line helpline phoned answer answering "
                + "appel anrufen"
        ),
        (
            DetectorSet(.creditCard),
            "card cards credit debit visa mastercard amex maestro discover diners jcb unionpay cc ccn kreditkarte carte"
        ),
        (DetectorSet(.usSsn), "ssn social ssns"), (DetectorSet(.usItin), "itin taxpayer"),
        (DetectorSet(.abaRouting), "routing aba rtn"), (DetectorSet(.usEin), "ein fein employer"),
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
