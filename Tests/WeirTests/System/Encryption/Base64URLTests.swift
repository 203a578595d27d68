import CLibraries
import Foundation
import Testing

@testable import Weir

@Suite struct Base64URLTests {
    @Test func writesWhatFoundationWritesInTheOtherAlphabet() {
        var generator = SplitMix64(seed: 7)
        for count in 0...300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
            #expect(Base64URL.encode(bytes) == expected)
            var portable = [UInt8](repeating: 0, count: expected.utf8.count)
            weir_base64url_encode_portable(bytes, count, &portable)
            #expect(String(decoding: portable, as: UTF8.self) == expected)
            #expect(Base64URL.decode(Array(expected.utf8)) == bytes)
        }
    }

    @Test func readsNothingElse() {
        for text in ["A", "AB+/", "AB/_", "AAAA=", "A A", "AB", "AAB", "ÄÄÄÄ", "AAAAA"] {
            #expect(Base64URL.decode(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(Base64URL.decode([]) == [])
        #expect(Base64URL.decode(Array("AA".utf8)) == [0])
    }
}
