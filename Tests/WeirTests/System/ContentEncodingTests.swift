import Testing

@testable import Weir

@Suite struct ContentEncodingTests {
    @Test func readsEachNameInAnyCase() throws {
        func check(_ value: String, _ encoding: ContentEncoding) throws {
            #expect(try ContentEncoding(header: value) == encoding, "\(value)")
        }
        try check("", .identity)
        try check("  ", .identity)
        try check("identity", .identity)
        try check("gzip", .gzip)
        try check("GZIP", .gzip)
        try check(" gzip\t", .gzip)
        try check("x-gzip", .gzip)
        try check("X-GZip", .gzip)
        try check("deflate", .deflate)
        try check("Zstd", .zstd)
    }

    @Test func refusesWhatItDoesNotKnowAndSaysWhatItWas() {
        func check(_ value: String) {
            #expect(throws: UnsupportedContentEncoding(value)) { try ContentEncoding(header: value) }
        }
        check("br")
        check("gzip, gzip")
        check("gzip,deflate")
        check("gzip deflate")
        check("gzip\n")
        check("gzıp")
        #expect(
            UnsupportedContentEncoding("br").description
                == "content encoding \"br\" is not supported, wanted one of identity, gzip, deflate, zstd")
    }

    @Test func keepsOnlyTheBeginningOfALongValue() {
        #expect(UnsupportedContentEncoding(String(repeating: "g", count: 10_000)).value.utf8.count == 64)
        #expect(UnsupportedContentEncoding("e" + String(repeating: "\u{301}", count: 10_000)).value.utf8.count < 256)
    }
}
