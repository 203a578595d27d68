import Testing

@testable import Weir

/// To which storage class files of a bucket are to move, and which files are brought from there to be merged. That they
/// do is in `test_object_storage.py`.
struct StorageClassTests {
    private let start = Timestamp(nanoseconds: SampleBatch.fourOClock)

    @Test func aFileHasTheClassOfItsAgeAndTenant() throws {
        let lifecycle = try #require(
            read(
                ArchiveConfiguration.self,
                """
                directory: d
                object_storage: { bucket: traces, access_key_id: id, secret_access_key: abcdefghijklmnop }
                lifecycle:
                  storage_classes:
                    - { class: STANDARD_IA, after: 30d }
                    - { class: GLACIER_IR, after: 90d }
                  classes:
                    audit: { tenants: [bank], storage_classes: [ { class: ONEZONE_IA, after: 36h } ] }
                    plain: { tenants: [guest], cold: 3650d }
                """)
        ).lifecycle
        #expect(lifecycle.hasStorageClasses)
        func classes(_ tenant: String, _ days: Int) -> [String] {
            lifecycle.storageClasses(of: manifest(tenant), on: Day(start) + days)
        }
        #expect(classes("shop", 29) == [] && classes("shop", 30) == ["STANDARD_IA"])
        #expect(classes("shop", 90) == ["STANDARD_IA", "GLACIER_IR"])
        // Whole days, so that nothing moves too early.
        #expect(classes("bank", 1) == [] && classes("bank", 2) == ["ONEZONE_IA"] && classes("guest", 999) == [])
    }

    @Test func whatCannotBeIsRefused() {
        func problems(_ classes: String, bucket: Bool = true) -> String {
            var reader = YAMLReader(file: "f", environment: [:])
            let store = "object_storage: { bucket: traces, access_key_id: id, secret_access_key: abcdefghijklmnop }\n"
            let root = reader.read("directory: d\n\(bucket ? store : "")lifecycle: { storage_classes: [\(classes)] }")
            var top = Fields([], file: "f")
            _ = top.descend(into: root, path: "") { $0.read(ArchiveConfiguration.self) }
            return top.diagnostics.entries.map(\.description).joined(separator: "\n")
        }
        let first = "{ class: STANDARD_IA, after: 30d }"
        #expect(problems(first) == "")
        #expect(problems(first, bucket: false).contains("without object_storage"))
        #expect(problems("\(first), { class: GLACIER_IR, after: 30d }").contains("wanted rising ages"))
        #expect(problems("\(first), { class: STANDARD_IA, after: 31d }").contains("a class twice"))
        let frozen = "{ class: GLACIER, after: 1d }, { class: DEEP_ARCHIVE, after: 2d }"
        #expect(problems(frozen).contains("nothing is copied"))
        #expect(problems("{ class: GLACIER, after: 1d }").contains("restored there"))
        #expect(problems("{ class: cold, after: 1d }").contains("wanted a storage class"))
        #expect(problems("{ class: STANDARD_IA }").contains("after"))
    }

    @Test func aLargeFileIsNotBroughtForAFew() {
        let sizes = [1_000, 100, 30, 20, 20]
        let entries = zip(1..., sizes).map { number, size in entry(number, size) }
        func kept(_ numbers: [Int], away: Set<String>) -> [Int] {
            CompactionPlan.worthwhile(numbers.map { entries[$0 - 1] }, away: away).map(\.manifest.number)
        }
        let all: Set<String> = ["1", "2", "3", "4", "5"]
        #expect(kept([1, 2, 3, 4, 5], away: all) == [2, 3, 4, 5])
        #expect(kept([1, 2], away: all) == [])
        #expect(kept([3, 4], away: all) == [3, 4])
        // What is here need not be brought.
        #expect(kept([1, 2, 3], away: ["2", "3"]) == [1, 2, 3])
        #expect(kept([1, 5], away: ["1"]) == [5])
    }

    private func manifest(_ tenant: String, _ number: Int = 1, bytes: Int = 1) -> ArchiveManifest {
        ArchiveManifest(
            number: number, previous: nil, journal: "0000000000000007", tenant: tenant, format: .proto,
            compression: .zstd, spans: ArchivedSpans(of: 1, spans: 1), created: start.text,
            files: [ArchiveManifest.File(path: "x", dataset: nil, rows: 1, bytes: bytes, sha256: "ab")])
    }

    private func entry(_ number: Int, _ size: Int) -> CompactionPlan.Entry {
        CompactionPlan.Entry(
            manifest: manifest("shop", number, bytes: size), hash: "\(number)", length: 100, columns: "")
    }
}
