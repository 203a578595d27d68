import CLibraries
import Testing

@testable import Weir

@Suite struct TextPlacesTests {
    /// Blocks of sixty-four bytes meet at each byte of a finding, and in front of it and behind it.
    @Test(arguments: [
        ("+44 20 7946 0958", Detector.phone), ("4111 1111 1111 1111", .creditCard), ("someone@shop.example", .email),
        ("someone＠shop.example", .email), ("+４４ 20 7946 0958", .phone),
        ("dapi0123456789abcdef0123456789abcdef", .apiKey),
        ("DE89370400440532013000", .iban), ("52.12.9.77", .ipAddress), ("2a02:8108:8ac0:4c1d::17", .ipAddress),
        ("AB-CD-EF-12-34-5A", .macAddress), ("ab:cd:ef:12:34:5a", .macAddress), ("AKIAQ6ZX7PJ2M4N8K3TU", .awsKey),
        ("AIzaSyD3x9Kq7Lm2Vb8Nc4Rt6Yw1Ez5Ua0Hj-Pf", .googleKey), ("hf_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z", .apiKey),
        ("glpat-aB3dE5fG7hJ9kL1mN3pQ", .gitlabToken), ("12345678Z", .esDni), ("X1234567L", .esNie),
        ("-----BEGIN PRIVATE KEY-----aGVsbG8-----END PRIVATE KEY-----", .privateKey),
        ("0x52908400098527886E0F7030069857D2E4169EE7", .ethereumAddress),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", .jwt),
    ])
    func whereBlocksMeetNothingIsMissed(_ text: String, _ detector: Detector) {
        for offset in 0..<140 {
            let filler = String(String(repeating: "ab c. ", count: 24).suffix(offset))
            let findings = Self.findings(in: filler + text + " and more")
            #expect(
                findings.map { [$0.start, $0.end, Int($0.kind)] }
                    == [[offset, offset + text.utf8.count, Int(detector.rawValue)]], "behind \(offset) bytes")
        }
    }

    @Test func whereBlocksMeetTheValueBehindAKeyIsFound() {
        for offset in 0..<140 {
            let filler = String(String(repeating: "ab c. ", count: 24).suffix(offset))
            for (name, value) in [("api_key=", "xK9pQ2mR7vT4"), (#"{"password": ""#, "hunter2horse!")] {
                let findings = Self.findings(in: filler + name + value + #"" "#)
                #expect(findings.map(\.start) == [offset + name.utf8.count], "\(name) behind \(offset) bytes")
            }
        }
    }

    /// Words, digits and marks in any order: what a place needs around it is there, in the same block or the next.
    @Test func aTextThatBeginsElsewhereHasTheSamePlaces() throws {
        let seed: UInt64 = 42
        var generator = SplitMix64(seed: seed)
        let pieces = [
            "a", "bc", "7", "42", "_", "-", ".", ":", "=", " ", "--", "A", "ey", "J", "@", "sk-", "key", "é", "０",
        ]
        for round in 0..<2000 {
            let text = (0..<120).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            // As many bytes of the filler as anybody looks back at stand in front of both.
            let shifts = (3, 3 + Int.random(in: 1..<64, using: &generator))
            let places = try (Self.places(of: text, behind: shifts.0), Self.places(of: text, behind: shifts.1))
            let missed =
                Self.sure(places.0, shifts.0).subtracting(places.1)
                .union(Self.sure(places.1, shifts.1).subtracting(places.0))
            #expect(missed.isEmpty, "seed \(seed), round \(round): \(text)")
        }
    }

    /// Those that are not named only because a block ends, and nothing is known there of what follows.
    private static func sure(_ places: Set<Int>, _ shift: Int) -> Set<Int> {
        places.filter { ($0 + shift) % 64 < 58 }
    }

    @Test func bytesAreTheSameClassesWithoutVectors() {
        var generator = SplitMix64(seed: 9)
        for count in 0...64 {
            for _ in 0..<50 {
                let bytes = (0..<80).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let cut: UInt64 = count == 64 ? ~0 : 1 << UInt64(count) - 1
                let (fast, slow) = (weir_text_classes_of(bytes, count), weir_text_classes_portable(bytes, count))
                #expect(Self.masks(fast).map { $0 & cut } == Self.masks(slow))
                let words = (weir_word_classes_of(bytes, count), weir_word_classes_portable(bytes, count))
                #expect(words.0.letters & cut == words.1.letters)
                #expect(words.0.capitals & cut == words.1.capitals)
            }
        }
    }

    private static func masks(_ of: weir_text_classes) -> [UInt64] {
        [of.digits, of.letters, of.underscores, of.dashes, of.dots, of.assignments, of.rare]
    }

    private static func findings(in text: String) -> [RedactionFinding] {
        var scanner = TextScanner(.all)
        return withPadding(text) { bytes in
            scanner.scan(bytes)
            return (0..<scanner.findings.count).map { scanner.findings[$0] }
        }
    }

    private static func places(of text: String, behind filler: Int) throws -> Set<Int> {
        try withPadding(String(repeating: " ", count: filler) + text) { bytes in
            let base = try #require(bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
            var places = TextPlaces()
            var found: Set<Int> = []
            let text = TextBytes(base: base, count: bytes.count)
            for position in stride(from: 0, to: bytes.count, by: 64) {
                let bits = places.next(text, position)
                found.formUnion((0..<64).filter { bits & 1 << UInt64($0) != 0 }.map { position + $0 - filler })
            }
            return found
        }
    }

    private static func withPadding<Result>(
        _ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let bytes = Array(text.utf8)
        return try (bytes + [UInt8](repeating: 0, count: 32)).withUnsafeBytes {
            try body(UnsafeRawBufferPointer(rebasing: $0[..<bytes.count]))
        }
    }
}
