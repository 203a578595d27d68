@testable import Weir

/// What the scanner finds in a text, as `LABEL text`.
enum ScannerSample {
    static func found(
        in text: String, _ enabled: DetectorSet = .all, hints: DetectorSet = [], anyAddress: Bool = false,
        isStrict: Bool = false
    ) -> [String] {
        findings(in: Array(text.utf8), enabled, hints: hints, anyAddress: anyAddress, isStrict: isStrict).map {
            let part = String(decoding: Array(text.utf8)[$0.start..<$0.end], as: UTF8.self)
            return "\($0.detector?.label ?? "?") \(part)"
        }
    }

    static func findings(
        in text: [UInt8], _ enabled: DetectorSet = .all, hints: DetectorSet = [], anyAddress: Bool = false,
        isStrict: Bool = false
    ) -> [RedactionFinding] {
        var scanner = TextScanner(enabled, isStrict: isStrict)
        // Whatever stands behind the text must not matter.
        let padded = text + Array("4@5:a=-_J".utf8) + [UInt8](repeating: 0x31, count: 64)
        padded.withUnsafeBytes {
            scanner.scan(UnsafeRawBufferPointer(rebasing: $0[..<text.count]), hints: hints, anyAddress: anyAddress)
        }
        return (0..<scanner.findings.count).map { scanner.findings[$0] }
    }
}
