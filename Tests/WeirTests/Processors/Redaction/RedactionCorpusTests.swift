import Foundation
import Testing

@testable import Weir

/// What the fuzzer starts from, and what it found: redacted once, it stands still.
@Suite struct RedactionCorpusTests {
    @Test func everyInputStandsStillAfterTheFirstTime() throws {
        let folder = Bundle.module.bundleURL.appending(path: "Fixtures/corpus/redaction")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 2)
        let tokens = RedactionToken(hash: KeyedHash(key: [UInt8](repeating: 7, count: 32)), epoch: "1")
        for file in files {
            var pass = RedactionPass(RedactionPolicy(), tokens)
            let text = Array(try Data(contentsOf: file))
            guard String(validating: text, as: UTF8.self) != nil else { continue }
            let once = redacted(text, &pass)
            #expect(redacted(once, &pass) == once, "\(file.lastPathComponent)")
        }
    }

    private func redacted(_ text: [UInt8], _ pass: inout RedactionPass) -> [UInt8] {
        let padded = text + [UInt8](repeating: 0x39, count: 16)
        return padded.withUnsafeBytes {
            pass.redact(UnsafeRawBufferPointer(rebasing: $0[..<text.count]), KeyDecision(detectors: .all))
        } ?? text
    }
}
