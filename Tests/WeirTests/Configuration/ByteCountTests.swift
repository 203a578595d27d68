import Testing

@testable import Weir

@Suite struct ByteCountTests {
    @Test(arguments: [
        ("0", 0), ("4096", 4096), ("4096B", 4096), ("128KiB", 131_072), ("64MiB", 67_108_864), ("1GiB", 1_073_741_824),
        ("1TiB", 1_099_511_627_776),
        ("1kB", 1_000), ("10MB", 10_000_000), ("2GB", 2_000_000_000), ("1TB", 1_000_000_000_000),
    ])
    func readsBinaryAndDecimalUnits(text: String, bytes: Int) {
        #expect(ByteCount(parsing: text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "MiB", "1.5MiB", "-1", "1 MiB", "1mib", "1M", "9999999999999TiB", "99999999999999999999", "٣",
    ])
    func refusesEverythingElse(text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test func writesTheLargestUnitThatLeavesNothingOver() {
        #expect(ByteCount(0).description == "0")
        #expect(ByteCount(4097).description == "4097")
        #expect(ByteCount(4096).description == "4KiB")
        #expect(ByteCount.mebibytes(1536).description == "1536MiB")
        #expect(ByteCount.gibibytes(2).description == "2GiB")
    }
}
