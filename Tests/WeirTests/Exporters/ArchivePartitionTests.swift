import Testing

@testable import Weir

@Suite struct ArchivePartitionTests {
    @Test func namesTenantDateAndHour() {
        check("shop", SampleBatch.fourOClock, "tenant=shop/date=2026-02-03/hour=04")
        check("shop", SampleBatch.fourOClock - 1, "tenant=shop/date=2026-02-03/hour=03")
    }

    @Test func hasAPlaceForEveryTimeThatASpanCanSay() {
        check("a", 0, "tenant=a/date=1970-01-01/hour=00")
        check("a", .max, "tenant=a/date=2554-07-21/hour=23")
    }

    @Test func letsNoTenantLeaveTheArchive() {
        checkName("..", "%2E.")
        checkName(".open", "%2Eopen")
        checkName("../../etc", "%2E.%2F..%2Fetc")
        checkName("/etc/passwd", "%2Fetc%2Fpasswd")
        checkName("a/../b", "a%2F..%2Fb")
        checkName("nul\u{0}l", "nul%00l")
        checkName("a b\n", "a%20b%0A")
        checkName("100%", "100%25")
        checkName("größe", "gr%C3%B6%C3%9Fe")
        checkName("A-z_0.9", "A-z_0.9")
    }

    @Test func tellsNoTenantFromOneThatIsCalledNull() {
        checkName("", "__HIVE_DEFAULT_PARTITION__")
        checkName("__HIVE_DEFAULT_PARTITION__", "%5F_HIVE_DEFAULT_PARTITION__")
    }

    @Test func shortensLongNamesAndKeepsThemApart() {
        let long = String(repeating: "ä", count: 10_000)
        let names = [long, long + "a", long + "b", String(repeating: "a", count: 201)].map(
            ArchivePartition.directoryName)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.utf8.count <= 200 })
        checkName(String(repeating: "a", count: 200), String(repeating: "a", count: 200))
    }

    private func check(
        _ tenant: String, _ start: UInt64, _ path: String, at location: SourceLocation = #_sourceLocation
    ) {
        let partition = ArchivePartition(tenant: tenant, hour: ArchivePartition.hour(of: start))
        #expect(partition.path == path, sourceLocation: location)
    }

    private func checkName(_ tenant: String, _ name: String, at location: SourceLocation = #_sourceLocation) {
        #expect(ArchivePartition.directoryName(of: tenant) == name, sourceLocation: location)
    }
}
