import Foundation
import Testing

@testable import Weir

/// What holds of redaction whatever comes in.
@Suite struct RedactionPropertyTests {
    private static let tokens = RedactionToken(hash: KeyedHash(key: [UInt8](repeating: 7, count: 32)), epoch: "1")
    private static let pieces = [
        "bob@shop.io", "4111 1111 1111 1111", "{", "}", "[", "]", "\"", ":", ",", "\\", "\\n", "\\u0040", "\\ud83d",
        "\\ude00",
        "\\u00", "é", "😀", " ", "a", "password", "user_id", "content", "parts", "1e5", "-0.5", "true", "null",
        "+44 20 7946 0958",
        "tok_id_aaaaaaaaaaaaaaaa", "[EMAIL]", "=", "84.12.7.200", "\n", "＠", "１２３", "amqp://b:", "/", "@", "Bearer ",
        "a8f5f167f44f4964", "8Q~", "call me on ", "6750792087", "?key=",
    ]
    private static let secrets = ["bob@shop.io", "4111 1111 1111 1111", "+44 20 7946 0958", "84.12.7.200"]

    private func redacted(_ text: [UInt8], _ pass: inout RedactionPass) -> [UInt8] {
        let padded = text + [UInt8](repeating: 0x39, count: 16)
        let key = KeyDecision(detectors: pass.policy.detectors)
        return padded.withUnsafeBytes {
            pass.redact(UnsafeRawBufferPointer(rebasing: $0[..<text.count]), key)
        } ?? text
    }

    /// Any value that JSON has, as text, some strings of it JSON themselves.
    private func document(_ random: inout SplitMix64, _ depth: Int) -> String {
        switch random.below(depth > 3 ? 3 : 5) {
        case 0: return random.pick(["1", "-2.5e3", "true", "null", "4111111111111111"])
        case 1, 2: return quoted(random.pick(Self.secrets + ["plain text", "x \"y\" \\ \n é", "id 5"]), &random)
        case 3:
            let members = (0..<random.below(4)).map { _ in
                "\(quoted(random.pick(["content", "text", "user_id", "password", "n", "parts"]), &random)) : \(document(&random, depth + 1))"
            }
            return "{ \(members.joined(separator: ",")) }"
        default:
            let elements = (0..<random.below(4)).map { _ in document(&random, depth + 1) }
            let list = "[\(elements.joined(separator: ", "))]"
            return random.chance(40) ? quoted(list, &random) : list
        }
    }

    private func quoted(_ text: String, _ random: inout SplitMix64) -> String {
        guard random.chance(30) else { return String(decoding: JSONCursor.quoted(Array(text.utf8)), as: UTF8.self) }
        return "\""
            + text.utf16.map {
                "\\u" + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16)
            }.joined() + "\""
    }

    @Test func anyTextStandsStillAfterTheFirstTime() {
        var random = SplitMix64(seed: 11)
        var pass = RedactionPass(RedactionPolicy(), Self.tokens)
        for round in 0..<20_000 {
            let text = (0..<random.below(14)).map { _ in random.pick(Self.pieces) }.joined()
            let once = redacted(Array(text.utf8), &pass)
            #expect(String(validating: once, as: UTF8.self) != nil, "seed 11, round \(round)")
            #expect(redacted(once, &pass) == once, "seed 11, round \(round): \(text.debugDescription)")
        }
    }

    @Test func whatWasJSONIsJSONAndHoldsNoSecret() throws {
        var random = SplitMix64(seed: 12)
        var pass = RedactionPass(RedactionPolicy(), Self.tokens)
        for round in 0..<5000 {
            let text = "[\(document(&random, 0))]"
            let output = redacted(Array(text.utf8), &pass)
            let parsed = try JSONSerialization.jsonObject(with: Data(output), options: .fragmentsAllowed)
            let flat = Self.leaves(of: parsed).joined(separator: "\n")
            for secret in Self.secrets + ["4111111111111111"] {
                #expect(!flat.contains(secret), "seed 12, round \(round): \(text)")
            }
            let hasSecret = text.contains("4111") || text.contains("\\u") || Self.secrets.contains { text.contains($0) }
            if !hasSecret, !text.contains("user_id"), !text.contains("password") {
                #expect(output == Array(text.utf8), "seed 12, round \(round): \(text)")
            }
        }
    }

    /// Every text and number, those in JSON texts included.
    private static func leaves(of value: Any) -> [String] {
        switch value {
        case let list as [Any]: return list.flatMap(leaves)
        case let object as [String: Any]: return object.flatMap { [$0.key] + leaves(of: $0.value) }
        case let text as String:
            guard let inner = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else { return [text] }
            return leaves(of: inner)
        default: return ["\(value)"]
        }
    }

    @Test func aTextWithoutFindingsKeepsItsBytes() {
        var pass = RedactionPass(RedactionPolicy(), Self.tokens)
        for text in [#"{"a" : "b\u00e9\/", "c":[1.0,2e5 , {}]}  "#, "plain", #"{"open": "#, "[1,2", "{]", "\u{1}\"x"] {
            #expect(redacted(Array(text.utf8), &pass) == Array(text.utf8))
        }
    }

    @Test(arguments: RedactionPreset.allCases)
    func hostileTextsTakeStepsInProportionToTheirLength(_ preset: RedactionPreset) {
        var policy = RedactionPolicy()
        policy.detectors = preset.detectors
        policy.isStrict = preset == .strict
        expectProportion(policy, "\(preset)")
    }

    /// Nothing has so many digits, so a number may have no group at all.
    @Test(arguments: [65, 66, 200])
    func aNumberWithoutAGroupIsNothing(count: Int) {
        var pass = RedactionPass(RedactionPolicy(), Self.tokens)
        for text in [String(repeating: "1", count: count), "a " + String(repeating: "7", count: count) + " 12"] {
            #expect(redacted(Array(text.utf8), &pass) == Array(text.utf8))
        }
    }

    /// What nothing takes must not be read again from every place in it.
    @Test(arguments: Detector.allCases)
    func hostileTextsTakeStepsInProportionWhereADetectorIsOff(_ detector: Detector) {
        var policy = RedactionPolicy()
        policy.detectors = .all.subtracting(DetectorSet(detector))
        // All of them for each detector is for torture.
        let all = Self.openings.indices.filter { Torture.isOn || ($0 + Int(detector.rawValue)) % 8 == 0 }
        expectProportion(policy, "without \(detector)", of: all.map { Self.openings[$0] })
    }

    /// What each part of the scanner, and of what reads JSON, would like to read on from.
    private static let openings = [
        "1 ", "a@", "::1:", "eyJ", "[", "{\"", "\\", "-----BEGIN PRIVATE KEY-----", "0x", "password=", "-eyJ", "sk-",
        "ghp_", "x?key=$", "x?key=your", "?key=a", "?sig=$$$", "[{", "[[1,", "{\"a\":1 x", "{\"a\":[",
        "{\"content\":[\"a\",\"b@c.io\"]", "\u{A0}1", "１", "bearer a1", "://a:b/", "://a:@",
        "call me on 1234567890 ", "pk.eyJ", "T1", "M1", "dapi1", "12345678:AA", "{\"a@b.io\":1,", "birth 1/2/1999 ",
        "cookie:a=1; ", "cookie=a=1;", "authorization:xy a=\"", "authorization=xy a=b,", "@a.b中",
        "%201", "%2B1", "%20", "1%", "password：", "１．", "a．b ", "）1",
    ]

    private func expectProportion(_ policy: RedactionPolicy, _ name: String, of pieces: [String] = openings) {
        var pass = RedactionPass(policy, Self.tokens)
        for piece in pieces {
            let (once, twice) = (steps(through: piece, 1 << 13, &pass), steps(through: piece, 1 << 14, &pass))
            // Some look 4 KiB ahead, for which the shorter text has less room. In proportion to the square it were four.
            #expect(once > 0 && twice * 2 < once * 5, "\(name), \(piece): \(once), and \(twice) for twice as much")
        }
    }

    private func steps(through piece: String, _ size: Int, _ pass: inout RedactionPass) -> Int {
        let text = Array(String(repeating: piece, count: size / piece.utf8.count).utf8)
        let start = StepCounter.steps
        _ = redacted(text, &pass)
        return StepCounter.steps - start
    }
}
