import Testing

@testable import Weir

/// The scanner beside a plain expression and the same check, on random text that is full of near misses.
@Suite struct ScannerOracleTests {
    private static let seed: UInt64 = 20_261_121
    private static let pieces = [
        "a", "Z", "9", "4111 1111", "1111 1111", "-", ".", " ", "@", "b.io", "jo", "536-90-", "4399", "84.12.", "7.200",
        ":",
        "fe", "2a00", "::", "AKIAQ3EGTIXRDXQ5", "Q2YA", "é", "\n", "\\n", "xn--", "com", "_", "+", "(", ")", "/", "0",
    ]

    private func texts() -> [String] {
        var random = SplitMix64(seed: Self.seed)
        return (0..<4000).map { _ in
            (0..<Int.random(in: 1...12, using: &random)).map { _ in
                Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            }.joined()
        }
    }

    /// All matches of an expression, each from behind the one before.
    private func matches(_ pattern: String, _ text: String) throws -> [String] {
        let expression = try RegularExpression("(?P<m>\(pattern))")
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            var found: [String] = []
            var start = 0
            while let group = expression.groups(in: UnsafeRawBufferPointer(rebasing: bytes[start...])).first {
                found.append(
                    String(
                        decoding: bytes[(start + group.range.lowerBound)..<(start + group.range.upperBound)],
                        as: UTF8.self))
                start += max(1, group.range.upperBound)
                if start >= bytes.count { break }
            }
            return found
        }
    }

    @Test func whatAPlainExpressionFindsIsFound() throws {
        for text in texts() {
            let found = ScannerSample.found(in: text).joined(separator: "\n")
            // Expressions of what nobody would doubt, with nothing before them that could be a part of it.
            for card in try matches(#"(?<![\w.,\-/)(+ @\\])4111 1111 1111 1111(?![\w\-.,@( )/])"#, text) {
                #expect(found.contains(card), "\(text.debugDescription)")
            }
            for email in try matches(#"(?<![\w.%+'\-:/\\])[a-z0-9]+@b\.io(?![\w\-.:@é\\])"#, text) {
                #expect(found.contains(email), "\(text.debugDescription)")
            }
            for key in try matches(#"(?<![\w\\])AKIAQ3EGTIXRDXQ5Q2YA(?!\w)"#, text) {
                #expect(found.contains(key), "\(text.debugDescription)")
            }
        }
    }

    @Test func whatIsFoundHasTheShape() throws {
        let shapes: [Detector: RegularExpression] = [
            .email: try RegularExpression(#"^[\p{L}\w.%+'\-]+(@|%40)[\p{L}\p{M}\w\-]+(\.[\p{L}\p{M}\w\-]+)+$"#),
            .creditCard: try RegularExpression(#"^\d{4,}([ \-]?\d+){0,4}$"#),
            .usSsn: try RegularExpression(#"^(?!000|666|9)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}$"#),
            .awsKey: try RegularExpression(#"^A[KSBC][IC]A[A-Z0-9]{16}$"#),
            .ipAddress: try RegularExpression(#"^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$"#),
            .phone: try RegularExpression(#"^[+(]?\d[\d ().\-/]{5,}\d((x| ?#)\d+)?$"#),
        ]
        for text in texts() {
            let bytes = Array(text.utf8)
            let findings = ScannerSample.findings(in: bytes)
            for (index, finding) in findings.enumerated() {
                #expect(finding.start < finding.end && finding.end <= bytes.count)
                if index > 0 { #expect(findings[index - 1].end <= finding.start) }
                guard let detector = finding.detector, let shape = shapes[detector] else { continue }
                let isShaped = bytes[finding.start..<finding.end].withUnsafeBytes { shape.matches($0) }
                #expect(isShaped, "\(detector) in \(text.debugDescription)")
            }
        }
    }
}
