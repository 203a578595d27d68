import Foundation
import Logging
import Testing

@testable import Weir

@Suite struct LogLineTests {
    let time = Duration.seconds(1_770_091_506) + .milliseconds(7)

    func line(
        _ encoding: TelemetryConfiguration.LogEncoding, _ message: String, _ metadata: [String: String] = [:],
        suppressed: Int = 0
    ) -> String {
        let line = LogLine(
            encoding, time: time, level: .warning, label: "weir.test", message: message, metadata: metadata,
            suppressed: suppressed)
        return String(decoding: line.bytes, as: UTF8.self)
    }

    @Test func writesLogfmtWithSortedMetadata() {
        #expect(
            line(.logfmt, "listening", ["port": "4318", "address": "127.0.0.1", "note": "two words"])
                == "time=2026-02-03T04:05:06.007Z level=warning label=weir.test message=listening "
                + "address=127.0.0.1 note=\"two words\" port=4318\n")
    }

    @Test func writesJSONWithSortedMetadata() {
        #expect(
            line(.json, "two words", ["port": "4318", "address": "x"], suppressed: 99)
                == #"{"time":"2026-02-03T04:05:06.007Z","level":"warning","label":"weir.test","message":"two words","#
                + #""address":"x","port":"4318","suppressed":"99"}"# + "\n")
    }

    @Test func writesTimeInUTCWithMilliseconds() {
        func check(_ time: Duration, _ text: String) {
            #expect(LogLine.timestamp(time) == text)
        }
        check(.zero, "1970-01-01T00:00:00.000Z")
        check(.milliseconds(1), "1970-01-01T00:00:00.001Z")
        check(.seconds(951_782_399) + .milliseconds(999), "2000-02-28T23:59:59.999Z")
        check(.seconds(951_782_400), "2000-02-29T00:00:00.000Z")
        check(.seconds(4_102_444_800) - .nanoseconds(1), "2099-12-31T23:59:59.999Z")
    }

    @Test func quotesWhatLogfmtWouldMisread() {
        func check(_ value: String, _ written: String) {
            #expect(line(.logfmt, "m", ["k": value]).hasSuffix(" k=\(written)\n"), "\(value)")
        }
        check("plain-1.5/x:y,z", "plain-1.5/x:y,z")
        check("", "\"\"")
        check("a b", "\"a b\"")
        check("a=b", "\"a=b\"")
        check("say \"hi\"", #""say \"hi\"""#)
        check("back\\slash", #""back\\slash""#)
        check("grün", "\"grün\"")
    }

    /// Characters that end a line somewhere, move the cursor, or turn the reading direction.
    static let dangerous: [(String, String)] = [
        ("\n", "\\n"), ("\r", "\\r"), ("\r\n", "\\r\\n"), ("\t", "\\t"), ("\0", "\\u0000"), ("\u{b}", "\\u000b"),
        ("\u{1b}[2J", "\\u001b[2J"), ("\u{7f}", "\\u007f"), ("\u{85}", "\\u0085"), ("\u{9b}", "\\u009b"),
        ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029"), ("\u{202e}", "\\u202e"), ("\u{2066}", "\\u2066"),
        ("\u{feff}", "\\ufeff"), ("\u{e0001}", "\\udb40\\udc01"),
    ]

    @Test(arguments: TelemetryConfiguration.LogEncoding.allCases) func letsNothingBeginASecondLine(
        _ encoding: TelemetryConfiguration.LogEncoding
    ) {
        for (text, escaped) in Self.dangerous {
            let injected = "a\(text)time=2000 level=info"
            let line = line(encoding, injected, ["k": injected, injected: "v"])
            #expect(line.contains("\"a\(escaped)time=2000 level=info\""), "\(escaped)")
            #expect(line.unicodeScalars.count { $0.properties.generalCategory == .control } == 1)
            #expect(!line.dropLast().unicodeScalars.contains { "\u{2028}\u{2029}\u{202e}".unicodeScalars.contains($0) })
            #expect(line.hasSuffix("\n"))
        }
    }

    @Test func makesSafeNamesForLogfmt() {
        #expect(line(.logfmt, "m", ["a b=\"c\"\nd": "v"]).hasSuffix(" a_b__c__d=v\n"))
        #expect(line(.logfmt, "m", ["": "v"]).hasSuffix(" _=v\n"))
    }

    @Test func keepsItsOwnNamesFromMetadata() {
        #expect(line(.logfmt, "m", ["level": "debug", "time": "0"]).contains(" metadata.level=debug metadata.time=0"))
        #expect(
            line(.logfmt, "m", ["suppressed": "5"], suppressed: 2).hasSuffix(" metadata.suppressed=5 suppressed=2\n"))
    }

    @Test(arguments: TelemetryConfiguration.LogEncoding.allCases) func cutsLongValuesAndSaysHowMuch(
        _ encoding: TelemetryConfiguration.LogEncoding
    ) {
        let most = String(repeating: "x", count: LogLine.maxValue)
        #expect(line(encoding, "m", ["k": most]).contains(most))
        #expect(!line(encoding, "m", ["k": most]).contains("more"))
        #expect(line(encoding, "m", ["k": most + "yz"]).contains("\"\(most)…(2 bytes more)\""))
        #expect(line(encoding, most + "yz").contains("\"\(most)…(2 bytes more)\""))
        // A character is not cut in two: the four bytes of the last one go together.
        let uneven = String(repeating: "x", count: LogLine.maxValue - 1) + "😀"
        #expect(line(encoding, "m", ["k": uneven]).contains("x…(4 bytes more)"))
        #expect(line(encoding, "m", [most + "yz": "v"]).utf8.count < LogLine.maxValue + 200)
    }

    @Test func leavesOutMetadataBeyondItsLimit() {
        let most = Dictionary(uniqueKeysWithValues: (0..<LogLine.maxFields).map { ("k\($0)", "v") })
        #expect(!line(.logfmt, "m", most).contains("fields_left_out"))
        let more = most.merging(["z1": "v", "z2": "v"]) { $1 }
        #expect(line(.logfmt, "m", more).hasSuffix(" fields_left_out=2\n"))
    }

    @Test(arguments: 0..<50) func writesJSONThatReadsBackAsItWas(_ seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        func text() -> String {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let range: ClosedRange<UInt32> = Bool.random(using: &random) ? 0...0x7f : 0...0x10ffff
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                    text.unicodeScalars.append(scalar)
                }
            }
            return text
        }
        let message = text()
        let value = text()
        let parsed = try JSONSerialization.jsonObject(with: Data(line(.json, message, ["k": value]).utf8))
        let object = try #require(parsed as? [String: String], "seed \(seed)")
        #expect(object["message"]?.unicodeScalars.elementsEqual(message.unicodeScalars) == true, "seed \(seed)")
        #expect(object["k"]?.unicodeScalars.elementsEqual(value.unicodeScalars) == true, "seed \(seed)")
    }
}
