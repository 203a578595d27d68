import ArgumentParser
import Foundation
import Testing

@testable import Weir

/// Commands where there is nothing that they could be about, as in a wrong directory, or nothing that they may touch.
@Suite struct PlacesTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let yaml = """
            receivers: { otlp: {} }
            processors:
              tail_sampling:
                policies: [{ name: all, type: always_sample }]
                recall: { directory: \(directory.path)/data/recall }
            extensions:
              keystore: { key_encryption_keys: { env: WEIR_TEST_NONE }, path: \(directory.path)/data/keys.db }
            exporters:
              debug: {}
              sqlite: { directory: \(directory.path)/data/hot }
              archive: { directory: \(directory.path)/data/archive }
            service:
              journal: { directory: \(directory.path)/data/journal, encryption: keystore }
              pipelines:
                traces: { receivers: [otlp], processors: [tail_sampling], exporters: [debug, sqlite, archive] }
            """
        try yaml.write(toFile: config, atomically: true, encoding: .utf8)
    }

    private var config: String { "\(directory.path)/weir.yaml" }
    private var data: String { "\(directory.path)/data" }

    private var names: [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: directory.path))?.sorted() ?? []
    }

    @Test(arguments: [
        ["erase", "--tenant", "t", "--subject", "user.id=u"], ["erase", "apply"],
        ["erase", "status"], ["erase", "status", "--format", "json"], ["hold", "list"],
        ["hold", "add", "--tenant", "t", "--reason", "r"], ["hold", "release", "x", "--reason", "r"],
        ["keys", "rotate"], ["keys", "backup", "b"],
        ["keys", "destroy", "--tenant", "t", "--before", "20260131", "--yes"],
    ])
    func nothingIsSaidToBeDoneWhereNothingIs(arguments: [String]) async throws {
        let ended = try await run(arguments)
        #expect(ended.code == 1)
        #expect(ended.text.contains("found nothing of what Weir keeps, none of \(data)/journal, \(data)/hot, "))
        #expect(names == ["weir.yaml"])
    }

    @Test func aJournalThatIsNotThereIsNotWhole() async throws {
        for word in ["status", "verify", "dump"] {
            let ended = try await run("journal", word)
            #expect(ended.code == 1 && ended.text.contains("found no journal at \(data)/journal, wanted"))
        }
        try Directory.create("\(data)/journal/traces")
        #expect(try await run("journal", "verify").text.contains("found no journal at \(data)/journal, wanted"))
        // Nor one that cannot be looked into: root may look into everything, but not follow this.
        let loop = "\(data)/journal/traces"
        try FileManager.default.removeItem(atPath: loop)
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let ended = try await run("journal", "verify")
        #expect(ended.code == 1 && ended.text.contains("access \(loop)/identity: too many"))
    }

    @Test func aDirectoryOfJournalsThatIsAFileIsNamed() async throws {
        try Directory.create(data)
        try Data().write(to: URL(fileURLWithPath: "\(data)/journal"))
        let ended = try await run("journal", "status")
        #expect(ended.code == 1 && ended.text.contains("opendir \(data)/journal: not a directory"))
    }

    @Test func tablesThatAreNotThereAreNotEmpty() async throws {
        for arguments in [["query", "services"], ["store", "status"], ["query", "search"]] {
            let ended = try await run(arguments)
            #expect(ended.code == 1)
            #expect(ended.text.contains("found no tables in \(data)/hot, wanted those that `weir store migrate`"))
        }
        #expect(names == ["weir.yaml"])
        try Directory.create("\(data)/hot")
        #expect(try await run("store", "status").code == 0)
        #expect(names == ["data", "data/hot", "weir.yaml"])
    }

    @Test func whereNoDeadLettersAreNothingIsMade() async throws {
        let ended = try await run("replay", "--exporter", "debug")
        #expect(ended.code == 1 && ended.text.contains("found no dead letters: \(data)/journal is not there"))
        #expect(names == ["weir.yaml"])
        try Directory.create("\(data)/journal")
        #expect(try await run("replay", "--exporter", "debug").code == 0)
        #expect(names == ["data", "data/journal", "weir.yaml"])
    }

    @Test func whoLooksAtTheRegisterMakesNone() async throws {
        // Where Weir has run, and where there is nothing left but the register.
        for place in ["journal", "erasures"] {
            try Directory.create("\(data)/\(place)")
            for arguments in [["erase", "status"], ["hold", "list"]] {
                #expect(try await run(arguments).code == 0)
                #expect(names == ["data", "data/\(place)", "weir.yaml"])
            }
            try FileManager.default.removeItem(atPath: data)
        }
    }

    @Test func anArchiveThatIsNotThereIsNotCompacted() async throws {
        let ended = try await run("archive", "compact", "--directory", "\(data)/archive")
        #expect(ended.code == 1 && ended.text.contains("found no archive at \(data)/archive, wanted"))
        #expect(names == ["weir.yaml"])
    }

    @Test func aWindowHasItsEndBehindItsBeginning() async throws {
        for (word, tenant) in [("restore", ["--tenant", "t"]), ("verify", []), ("ls", [])] {
            let ended = try await run(["archive", word, "--from", "2026-11-23", "--to", "2026-11-22"] + tenant)
            #expect(ended.code == 64 && ended.text.contains("wanted an end after the beginning"))
        }
        #expect(names == ["weir.yaml"])
    }

    @Test func whatIsRefusedByWhatIsFoundIsNoWrongCommandLine() async throws {
        try Directory.create("\(data)/journal")
        let unknown = try await run("hold", "release", "x", "--reason", "r")
        #expect(unknown.code == 1 && unknown.text.contains("found no hold"))
        #expect(try await run("hold", "add", "--tenant", "t", "--reason", "case 1").code == 0)
        let destroy = ["keys", "destroy", "--tenant", "t", "--before", "20260131"]
        let held = try await run(destroy + ["--yes"])
        #expect(held.code == 1 && held.text.contains("is on the tenant: case 1"))
        #expect(!held.text.contains("Usage"))
    }

    @Test(
        .enabled(if: geteuid() == 0),
        arguments: [
            ["erase", "--tenant", "t", "--subject", "user.id=u"], ["erase", "apply"],
            ["hold", "add", "--tenant", "t", "--reason", "r"], ["hold", "release", "x", "--reason", "r"],
            ["archive", "restore", "--tenant", "t", "--from", "2026-11-22", "--to", "2026-11-23"],
            ["archive", "compact"], ["archive", "confirm-clock"],
            ["archive", "replay", "--last", "1", "--to", "debug"], ["replay", "--exporter", "debug"],
            ["promote", "--trace", "4bf92f3577b34da6a3ce929d0e0e4736", "--wait", "0"],
            ["store", "migrate"], ["keys", "add"], ["keys", "list"], ["keys", "rotate"], ["keys", "backup", "b"],
            ["keys", "destroy", "--tenant", "t", "--before", "20260131", "--yes"],
        ])
    func rootWritesNothingWhereSomebodyElsesWeirIs(arguments: [String]) async throws {
        for name in ["data/archive", "data"] {
            try Directory.create("\(directory.path)/\(name)")
            try #require(chown("\(directory.path)/\(name)", 54_321, 54_321) == 0)
        }
        let ended = try await run(arguments)
        #expect(ended.code == 1)
        #expect(ended.text.contains("wanted it run by that user: sudo -u '#54321' weir …"))
        #expect(names == ["data", "data/archive", "weir.yaml"])
    }

    private func run(_ arguments: String...) async throws -> (text: String, code: Int32) {
        try await run(arguments)
    }

    /// What the command ends with.
    private func run(_ arguments: [String]) async throws -> (text: String, code: Int32) {
        do {
            var command = try WeirCommand.parseAsRoot(arguments + ["--config", config])
            if var waiting = command as? any AsyncParsableCommand { try await waiting.run() } else { try command.run() }
        } catch {
            return (WeirCommand.message(for: error), WeirCommand.exitCode(for: error).rawValue)
        }
        return ("", 0)
    }
}
