import Foundation
import Testing

@testable import Weir

@Suite struct KeyCommandTests {
    private func problem(_ arguments: String...) throws -> String {
        let error = #expect(throws: KeyError.self) { try KeySource.command(arguments).read() }
        return "\(try #require(error))"
    }

    @Test func whatAProgramPrintsAreTheKeys() throws {
        let keys = try KeySource.command(["echo", KeyStoreSample.first, KeyStoreSample.second]).read()
        let same = try KeyEncryptionKeys(parsing: "\(KeyStoreSample.first) \(KeyStoreSample.second)")
        #expect(keys.keys.count == 2 && keys.keys.map(\.id) == same.keys.map(\.id))
        // No shell reads the arguments, and there is nothing on the standard input.
        #expect(try problem("echo", "$HOME").contains("found something else as key 1"))
        #expect(try problem("cat").contains("found 0 keys"))
    }

    @Test func aFileOfKeysHasRoomForAHundred() throws {
        let sample = try KeyStoreSample(keys: nil)
        let source = KeySource.file(sample.keyFile)
        for _ in 1...KeyEncryptionKeys.maxCount { _ = try source.add() }
        let before = try source.read().keys.map(\.id)
        #expect(before.count == KeyEncryptionKeys.maxCount)
        #expect(throws: KeyError.self) { try source.add() }
        #expect(try source.read().keys.map(\.id) == before)
        #expect(sample.directory.files().count == 1, "nor is a draft left")
    }

    @Test func ofKeysThatAreAddedAtOnceNoneIsLost() async throws {
        let sample = try KeyStoreSample(keys: nil)
        let source = KeySource.file(sample.keyFile)
        let added = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 1...4 { group.addTask { try (1...20).map { _ in try source.add() } } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(try source.read().keys.map(\.id).sorted() == added.sorted() && added.count == 80)
    }

    @Test func aPipeOrADirectoryIsNoFileOfKeys() throws {
        let sample = try KeyStoreSample(keys: nil)
        #expect(mkfifo(sample.keyFile, 0o600) == 0)
        for path in [sample.keyFile, sample.directory.path] {
            let error = #expect(throws: KeyError.self) { try KeySource.file(path).read() }
            #expect("\(try #require(error))".contains("wanted a file"), "\(path)")
        }
    }

    @Test func aKeyIsNoPlaceOfKeys() throws {
        let base64 = "ERERERERERERERERERERERERERERERERERERERERERE="
        let hex = KeyStoreSample.first
        for text in [hex, base64, "echo \(base64)", "--key='\(hex)'", "x \(base64) # y"] {
            #expect(KeyEncryptionKeys.stand(in: text), "\(text)")
        }
        for text in ["WEIR_KEK", "/etc/weir/kek", "", "vault read secret/weir", "/usr/bin/env"] {
            #expect(!KeyEncryptionKeys.stand(in: text), "\(text)")
        }
    }

    @Test func whatIsWrongIsSaidWithoutWhatWasPrinted() throws {
        #expect(try problem("/nowhere/keys").hasSuffix("the command /nowhere/keys: no such file or directory"))
        let script = "echo \(KeyStoreSample.first); exit 3"
        #expect(try problem("sh", "-c", script) == "no key encryption key: the command sh: ended with status 3")
        #expect(try problem("head", "-c", "100000", "/dev/zero").contains("printed more than 65536 bytes"))
        #expect(try !problem("sh", "-c", "echo secret").contains("secret"))
    }

    @Test func aProgramThatDoesNotEndIsEnded() throws {
        // Its child holds the pipe open as well.
        #expect(try problem("sh", "-c", "sleep 600 & sleep 600").contains("took longer than 5s"))
    }
}
