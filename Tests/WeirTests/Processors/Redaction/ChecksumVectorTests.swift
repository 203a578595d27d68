import Foundation
import Testing

@testable import Weir

/// What python-stdnum says of random numbers, kind by kind.
@Suite struct ChecksumVectorTests {
    private struct Vector: Decodable {
        let type: String
        let value: String
        let valid: Bool
    }

    /// Where the oracle refuses what may well be somebody's number: days of birth to come in Denmark (it looks at the
    /// calendar), ITIN groups 50 to 65 (given out since), Spanish accounts whose inner check digits are wrong.
    private static func isStricterThere(_ vector: Vector) -> Bool {
        switch vector.type {
        case "dk.cpr": !vector.valid
        case "us.itin": (50...65).contains(Int(vector.value.dropFirst(4).prefix(2)) ?? 0)
        case "iban": vector.value.hasPrefix("ES") && !vector.valid
        default: false
        }
    }

    private static func vectors() throws -> [Vector] {
        let file = try #require(Bundle.module.url(forResource: "Fixtures/pii/checksum_vectors", withExtension: "jsonl"))
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Vector.self, from: Data($0.utf8))
        }
    }

    /// The check of a number that has digits only; nil for the kinds that the scanner reads as a whole.
    private static func check(_ type: String) -> ((Checksums.Digits, Int) -> Bool)? {
        switch type {
        case "luhn": { Checksums.luhn($0, $1) }
        case "verhoeff": { Checksums.verhoeff($0, $1) }
        case "us.ssn": { d, _ in Checksums.ssn(d) }
        case "us.itin": { d, _ in Checksums.itin(d) }
        case "us.rtn": { d, _ in Checksums.aba(d) }
        case "us.ein": { d, _ in Checksums.ein(d) }
        case "gb.nhs": { d, _ in Checksums.nhs(d) }
        case "in_.aadhaar": { d, _ in Checksums.aadhaar(d) }
        case "br.cpf": { d, _ in Checksums.cpf(d) }
        case "br.cnpj": { d, _ in Checksums.cnpj(d) }
        case "ca.sin": { d, _ in Checksums.sin(d) }
        case "za.idnr": { d, _ in Checksums.southAfrican(d) }
        case "imei": { Checksums.luhn($0, $1) }
        case "se.personnummer": { d, _ in Checksums.personnummer(d) }
        case "fr.nir": { d, _ in Checksums.nir(d) }
        case "de.idnr": { d, _ in Checksums.germanTax(d) }
        case "nl.bsn": { d, _ in Checksums.bsn(d) }
        case "be.nn": { d, _ in Checksums.belgian(d) }
        case "pl.pesel": { d, _ in Checksums.pesel(d) }
        case "pt.nif": { d, _ in Checksums.nif(d) }
        case "no.fodselsnummer": { d, _ in Checksums.fodselsnummer(d) }
        case "dk.cpr": { d, _ in Checksums.cpr(d) }
        case "tr.tckimlik": { d, _ in Checksums.kimlik(d) }
        case "kr.rrn": { d, _ in Checksums.rrn(d) }
        case "cn.ric": { d, _ in Checksums.chineseIdentity(d, last: d[17] + 48) }
        case "au.tfn": { d, _ in Checksums.tfn(d) }
        case "au.abn": { d, _ in Checksums.abn(d) }
        case "ch.ssn": { d, _ in Checksums.ahv(d) }
        default: nil
        }
    }

    private static let readAsAWhole: [String: Detector] = [
        "iban": .iban, "es.dni": .esDni, "es.nie": .esNie, "fi.hetu": .fiHetu, "in_.pan": .inPan,
        "isin": .isin, "lei": .lei,
    ]

    @Test func checkDigitsAreTakenAsTheOracleTakesThem() throws {
        var seen: Set<String> = []
        for vector in try Self.vectors() {
            guard let check = Self.check(vector.type), !vector.value.hasSuffix("X") else { continue }
            seen.insert(vector.type)
            if Self.isStricterThere(vector) { continue }
            let digits = vector.value.utf8.filter { isDigit($0) }.map { $0 - 48 } + [0, 0, 0]
            let isValid = digits.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { check($0, digits.count - 3) } ?? false
            }
            #expect(isValid == vector.valid, "\(vector.type) \(vector.value)")
        }
        #expect(seen.count == 28)
    }

    @Test func whatHasLettersIsFoundWhereItIsValid() throws {
        var seen: Set<String> = []
        for vector in try Self.vectors() {
            guard let detector = Self.readAsAWhole[vector.type] else { continue }
            seen.insert(vector.type)
            if Self.isStricterThere(vector) { continue }
            let found = ScannerSample.found(in: "it is \(vector.value), he says").contains {
                $0 == "\(detector.label) \(vector.value)"
            }
            #expect(found == vector.valid, "\(vector.type) \(vector.value)")
        }
        #expect(seen.count == Self.readAsAWhole.count)
    }

    @Test func theChineseNumbersWithAnXAreFound() throws {
        for vector in try Self.vectors() where vector.type == "cn.ric" {
            let found = ScannerSample.found(in: "身份证 \(vector.value) 号")
            #expect(found.contains("CN_IDENTITY \(vector.value)") == vector.valid, "\(vector.value)")
        }
    }

    @Test func noKindIsForgotten() throws {
        let kinds = Set(try Self.vectors().map(\.type))
        let known = kinds.filter { Self.check($0) != nil || Self.readAsAWhole[$0] != nil }
        #expect(kinds == known)
    }
}
