import Foundation
import Testing

@testable import Weir

/// Which files of an archive may name somebody, by what stands beside them.
@Suite struct ArchiveNamesTests {
    private static let tenant = "shop"
    private let directory: TemporaryDirectory
    private let registered: TemporaryDirectory
    private let register: ErasureRegister
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    init() throws {
        (directory, registered) = (try TemporaryDirectory(), try TemporaryDirectory())
        register = try ErasureRegister(registered.path)
    }

    @Test(arguments: ArchiveFormat.allCases)
    func filesThatDoNotNameAPersonAreNeverOpened(format: ArchiveFormat) async throws {
        let archive = try archive(format)
        for number in 0..<50 as Range<UInt64> {
            let span = ErasureSample.span(number + 1, trace: "a", user: "user \(number)")
            try await export([try ErasureSample.record(1, resource: "", [span])], to: archive)
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let person = matcher("enduser.id", "user 30")
        let own = try #require(try manifests().first { $0.mayName(person, catalog) })
        for path in try manifests().filter({ $0 != own }).flatMap({ $0.files.map(\.path) }) {
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(directory.path)/\(path)"))
        }
        let erasure = try #require(try ArchiveErasure(directory.path, nil, register.finder()))
        let traces = Set([try #require(TraceID(String(repeating: "a", count: 32)))])
        #expect(try erasure.traces(of: person) == traces)
        // By an attribute that no filter has, for another register, and where a key of theirs is in a file, all are.
        #expect(throws: (any Error).self) { try erasure.traces(of: matcher("n", "31")) }
        #expect(throws: (any Error).self) { try erasure.traces(of: foreign("user 30")) }
        #expect(!own.mayName(matcher("user.id", "user 31"), catalog))
        var group = matcher("user.id", "user 31").group
        group.keys = [7]
        #expect(!own.mayName(SubjectMatcher(group), catalog))
        var changed = own
        changed.fieldKeys = ArchivedKeyIDs(.fields(["key_ids": .array([.text("0000000000000007")])]))
        #expect(changed.mayName(SubjectMatcher(group), catalog))
        changed.fieldKeys = nil
        #expect(changed.mayName(SubjectMatcher(group), catalog))
    }

    /// Whatever a name looks like, and wherever it stands.
    @Test(arguments: ArchiveFormat.allCases, [1, 2, 3] as [UInt64])
    func everyNameThatIsFoundIsInTheFilter(format: ArchiveFormat, seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let archive = try archive(format)
        var names: [(key: String, name: String)] = []
        for number in 0..<12 as Range<UInt64> {
            let record = try record(number + 1, &names, &random)
            try await export([record], to: archive)
            if number % 3 == 0 { await archive.exporter.settle() }
        }
        await archive.exporter.finish()
        try check(names, "seed \(seed), as they came")
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        let later = Timestamp(nanoseconds: now.nanoseconds + 2 * Day.nanoseconds)
        #expect(try ArchiveContents.compact(directory.path, rules, register, at: later).made == 1)
        try check(names, "seed \(seed), merged")
        let gone = try #require(names.first)
        let erasure = try #require(try ArchiveErasure(directory.path, nil, register.finder()))
        let person = matcher(gone.key, gone.name)
        let traces = try erasure.traces(of: person)
        #expect(try erasure.erase(person, traces: traces, at: later).spans > 0)
        #expect(try manifests().allSatisfy { !$0.mayName(person, catalog) })
        try check(names, "seed \(seed), without one")
        #expect(try ArchiveContents.problems(directory.path) == [])
    }

    /// As it is where `redaction` marks the attribute that names the person.
    @Test(arguments: ArchiveFormat.allCases)
    func aNameUnderThePersonsOwnKeyIsThePersons(format: ArchiveFormat) async throws {
        let archive = try archive(format)
        for (id, key) in [(1, 7), (2, 8)] as [(UInt64, UInt64)] {
            let span = ErasureSample.span(id, trace: id == 1 ? "a" : "b", user: ciphertext(key))
            try await export([try ErasureSample.record(1, resource: "", [span])], to: archive)
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let erasure = try #require(try ArchiveErasure(directory.path, nil, register.finder()))
        #expect(try erasure.traces(of: matcher("user.id", "maria")) == [])
        var group = matcher("user.id", "maria").group
        group.keys = [7]
        let traces = try erasure.traces(of: SubjectMatcher(group))
        #expect(traces.map(\.text) == [String(repeating: "a", count: 32)])
        #expect(try erasure.erase(SubjectMatcher(group), traces: traces, at: now).spans == 1)
        #expect(try ArchiveContents.spanIDs(of: directory, format) == [2])
    }

    @Test(arguments: ArchiveFormat.allCases)
    func whatManifestsDoNotTellOfIsFound(format: ArchiveFormat) async throws {
        let archive = try archive(format)
        let span = ErasureSample.span(1, trace: "a", user: "maria", event: ciphertext(7))
        try await export([try ErasureSample.record(1, resource: "", [span])], to: archive)
        await archive.exporter.finish()
        var manifest = try #require(try manifests().first)
        let recount = ArchiveRecount(catalog, register.finder())
        #expect(try recount.problems(of: manifest) == [])
        #expect(manifest.fieldKeys?.ids == [7] && manifest.names?.count == 1)
        manifest.fieldKeys = ArchivedKeyIDs()
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(manifest.bloomPath)")
        manifest.take(try ArchiveIndex().write("\(directory.path)/\(manifest.bloomPath)", nil, register.finder()))
        let path = try #require(manifest.files.first?.path)
        #expect(
            try recount.problems(of: manifest) == [
                "\(path): found 1 span of traces that its filter does not have",
                "\(path): found names that its filter does not have",
                "\(path): found values under 1 data key that its manifest does not name",
            ])
        // Nobody who has not the register's key can tell.
        #expect(try ArchiveRecount(catalog, nil).problems(of: manifest).count == 2)
        manifest.fieldKeys = nil
        manifest.names = ArchiveManifest.Names(offset: 1 << 40, count: 1, key: "x")
        #expect(try recount.problems(of: manifest) == ["\(path): its filter cannot be read"])
    }

    /// What is no name to a reader is none that a filter lacks.
    @Test(arguments: ArchiveFormat.allCases)
    func valuesThatAreNoNamesAreNotMissed(format: ArchiveFormat) async throws {
        let archive = try archive(format)
        let text = #"{"stringValue":"x"}"#
        let values = [
            #"{"boolValue":true}"#, "{}", #"{"bytesValue":"bWFyaWE="}"#, #"{"doubleValue":"NaN"}"#,
            #"{"doubleValue":"-Infinity"}"#, #"{"stringValue":"nu\u0000l"}"#, #"{"arrayValue":{"values":[\#(text)]}}"#,
            #"{"kvlistValue":{"values":[{"key":"user.id","value":\#(text)}]}}"#, #"{"intValue":"-7"}"#,
        ]
        let inner = #"{"kvlistValue":{"values":[{"key":"user.id","value":\#(text)}]}}"#
        let spans = values.enumerated().map { index, value in
            #"{"traceId":"\#(String(repeating: "a", count: 32))","spanId":"\#(UInt64(index + 1).digits(16, radix: 16))","#
                + #""name":"s","startTimeUnixNano":"START","endTimeUnixNano":"START","attributes":["#
                + #"{"key":"user.id","value":\#(value)},{"key":"app.request","value":\#(inner)}]}"#
        }
        let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
        try await export([try SampleBatch.record(json: json, sequence: 1)], to: archive)
        await archive.exporter.finish()
        let manifest = try #require(try manifests().first)
        #expect(try ArchiveRecount(catalog, register.finder()).problems(of: manifest) == [])
        #expect(!manifest.mayName(matcher("user.id", "x"), catalog))
        #expect(manifest.mayName(matcher("user.id", "-7"), catalog))
    }

    // MARK: -

    private func archive(_ format: ArchiveFormat) throws -> ArchiveSample {
        try ArchiveSample("format: \(format.rawValue)", in: directory, erasures: registered.path)
    }

    /// What looks like a value under a data key.
    private func ciphertext(_ key: UInt64) -> String {
        let head = [Envelope.magic, CipherSuite.xaes256gcm.rawValue, ValueKind.string.rawValue]
        let rest = withUnsafeBytes(of: key.bigEndian) { Array($0) } + [UInt8](repeating: 1, count: 45)
        return "weir1.\(Base64URL.encode(head + rest))"
    }

    private func export(_ records: [JournalRecord], to archive: ArchiveSample) async throws {
        let theirs = records.map { record in
            JournalRecord(
                sequence: record.sequence, tenant: Self.tenant, receivedAt: record.receivedAt,
                spanCount: record.spanCount, payload: record.payload)
        }
        try await archive.export(FrozenBatch(records: theirs))
    }

    private var catalog: ArchiveCatalog {
        ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
    }

    private func manifests() throws -> [ArchiveManifest] {
        try directory.files().filter { $0.hasSuffix(".manifest.json") }.map { file in
            try #require(try directory.contents(of: file).withUnsafeBytes { ArchiveManifest($0) })
        }
    }

    private func matcher(_ attribute: String, _ name: String) -> SubjectMatcher {
        let family = SubjectFamily(of: attribute)
        let hash = register.hash(of: family, tenant: Self.tenant)
        var group = ErasedSubjects.Group(tenant: Self.tenant, family: family, hash: hash)
        group.names = [hash.digest(of: Array(name.utf8))]
        return SubjectMatcher(group)
    }

    /// As another register has it.
    private func foreign(_ name: String) -> SubjectMatcher {
        let family = SubjectFamily(of: "user.id")
        let hash = SubjectHash(key: ErasureSample.key, tenant: Self.tenant, family)
        var group = ErasedSubjects.Group(tenant: Self.tenant, family: family, hash: hash)
        group.names = [hash.digest(of: Array(name.utf8))]
        return SubjectMatcher(group)
    }

    /// Every file that has a name may have it, by its filter, and few that have not.
    private func check(_ names: [(key: String, name: String)], _ comment: Comment) throws {
        var wrong = 0
        for manifest in try manifests() {
            for (key, name) in names {
                let matcher = matcher(key, name)
                let mayName = manifest.mayName(matcher, catalog)
                let isNamed = try !manifest.search(catalog, matcher).traces().isEmpty
                #expect(mayName || !isNamed, "\(key) \(name): \(comment)")
                if mayName, !isNamed { wrong += 1 }
            }
        }
        #expect(wrong <= 2, comment)
    }

    private func record(
        _ number: UInt64, _ names: inout [(key: String, name: String)], _ random: inout SplitMix64
    ) throws -> JournalRecord {
        func attribute() -> String {
            let key = SubjectFamily.names.randomElement(using: &random) ?? "user.id"
            let (name, kind): (String, String) =
                switch Int.random(in: 0..<8, using: &random) {
                case 0: ("\(Int.random(in: -9...1 << 40, using: &random))", "intValue")
                case 1: ("\(Double(Int.random(in: 1...1000, using: &random)) / 8 * 1e20)", "doubleValue")
                case 2: ("weir1.\(number)", "stringValue")
                case 3: ("m\"\\/\n\u{1}\u{1F600}é{\"user.id\":\"x\"},\(number)", "stringValue")
                case 4: (String(repeating: "long ", count: 60) + "\(number)", "stringValue")
                default: ("name \(Int.random(in: 0..<1000, using: &random)),", "stringValue")
                }
            names.append((key, name))
            let text = kind == "doubleValue" ? name : name.quotedAsJSON
            return #"{"key":"\#(key)","value":{"\#(kind)":\#(text)}}"#
        }
        func attributes(_ odds: Int) -> String {
            let other = #"{"key":"text","value":{"stringValue":"{\"user.id\":\"nobody\"}"}}"#
            return Int.random(in: 0..<odds, using: &random) == 0 ? "[\(other),\(attribute())]" : "[\(other)]"
        }
        let spans = (0..<4).map { index in
            let trace = (number * 4 + UInt64(index)).digits(32, radix: 16)
            let event = #"{"name":"e","timeUnixNano":"1","attributes":\#(attributes(6))}"#
            return #"{"traceId":"\#(trace)","spanId":"\#((number * 4 + UInt64(index)).digits(16, radix: 16))","#
                + #""name":"s","startTimeUnixNano":"START","endTimeUnixNano":"START","#
                + #""attributes":\#(attributes(2)),"events":[\#(event)]}"#
        }
        return try SampleBatch.record(
            json: #"{"resourceSpans":[{"resource":{"attributes":\#(attributes(8))},"scopeSpans":[{"spans":["#
                + spans.joined(separator: ",") + "]}]}]}", sequence: number)
    }
}
