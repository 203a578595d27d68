import Testing

@testable import Weir

/// Each detector beside a plain regular expression and a check, on examples of what it is to find with bytes changed,
/// put in and left out.
@Suite struct DetectorOracleTests {
    private static let seed: UInt64 = 20_261_121

    @Test func noDetectorIsWithoutAnOracle() {
        #expect(Set(DetectorShape.all.map(\.detector)) == Set(Detector.allCases))
    }

    @Test func everySampleIsFound() throws {
        for shape in DetectorShape.all {
            let whole = try RegularExpression("^(?:\(shape.pattern))$")
            for sample in shape.samples {
                let found = matches(of: shape.detector, in: "\(shape.word) \(sample) ")
                #expect(found.count == 1, "\(shape.detector) \(sample)")
                // Of these a part is found.
                if !sample.contains("="), !sample.contains("//") {
                    #expect(Array(sample.utf8).withUnsafeBytes { whole.matches($0) }, "\(shape.detector) \(sample)")
                }
            }
        }
    }

    @Test func whatIsFoundHasTheShapeAndTheCheckDigits() throws {
        for shape in DetectorShape.all {
            let whole = try RegularExpression("^(?:\(shape.pattern))$")
            for text in texts(of: shape) {
                for found in matches(of: shape.detector, in: text) {
                    let isRight = found.withUnsafeBytes { whole.matches($0) } && shape.check(found)
                    #expect(isRight, "\(shape.detector) \(String(decoding: found, as: UTF8.self)) in \(text)")
                }
            }
        }
    }

    @Test func whatAPlainExpressionTakesIsFound() throws {
        for shape in DetectorShape.all {
            let expression = try RegularExpression("(?P<m>(?<![^ :/=@])(?:\(shape.certain))(?![^ @]))")
            for text in texts(of: shape) {
                let bytes = Array(text.utf8)
                let findings = ScannerSample.findings(in: bytes)
                for range in bytes.withUnsafeBytes({ ranges(of: expression, in: $0) })
                where shape.check(Array(bytes[range])) {
                    // Another detector may have a better claim to it.
                    let isFound = findings.contains { $0.start < range.upperBound && range.lowerBound < $0.end }
                    #expect(isFound, "\(shape.detector) \(text.debugDescription)")
                }
            }
        }
    }

    // MARK: Texts

    private func matches(of detector: Detector, in text: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        return ScannerSample.findings(in: bytes).filter { $0.detector == detector }.map {
            Array(bytes[$0.start..<$0.end])
        }
    }

    private func ranges(of expression: RegularExpression, in text: UnsafeRawBufferPointer) -> [Range<Int>] {
        expression.ranges(in: text, limit: 16) ?? []
    }

    private func texts(of shape: DetectorShape) -> [String] {
        var random = SplitMix64(seed: Self.seed &+ UInt64(shape.detector.rawValue))
        return (0..<120).map { _ in
            (0..<Int.random(in: 1...3, using: &random)).map { _ in
                "\(shape.word) " + changed(shape.samples.randomElement(using: &random) ?? "", &random)
            }.joined(separator: [" ", " ", ", ", "-", "/"].randomElement(using: &random) ?? " ") + " "
        }
    }

    private func changed(_ sample: String, _ random: inout SplitMix64) -> String {
        var characters = Array(sample)
        for _ in 0..<([0, 0, 1, 1, 2].randomElement(using: &random) ?? 0) {
            let place = Int.random(in: 0..<characters.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: characters.insert(characters[Int.random(in: 0..<characters.count, using: &random)], at: place)
            case 1 where characters.count > 1: characters.remove(at: place)
            default:
                if characters[place].isNumber {
                    characters[place] = Character(String(Int.random(in: 0...9, using: &random)))
                } else {
                    characters[place] = "abXYZ-. 7:@_".randomElement(using: &random) ?? "a"
                }
            }
        }
        return String(characters)
    }
}
