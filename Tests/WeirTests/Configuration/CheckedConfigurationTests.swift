import Foundation
import Testing

@testable import Weir

@Suite struct CheckedConfigurationTests {
    @Test func saysWhyAFileCannotBeRead() throws {
        #expect(lines("no/such.yaml") == ["no/such.yaml: cannot be opened: no such file or directory"])
        #expect(lines("/") == ["/: cannot be read"])
    }

    @Test func refusesBytesThatAreNotUTF8() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "weir-\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data([0x61, 0x3A, 0x0D, 0x0A, 0xC3, 0xA9, 0xFF]).write(to: file)
        #expect(lines(file.path) == ["\(file.path): found bytes that are not UTF-8 in line 2, wanted UTF-8"])
    }

    @Test func readsNoMoreThanItsLimit() {
        #expect(lines("/dev/zero") == ["/dev/zero: found 1048577 bytes, wanted at most 1MiB"])
    }

    @Test func whatAFileNamesIsWaitedForByNobody() throws {
        let directory = try TemporaryDirectory()
        let pipe = "\(directory.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [pipe, directory.path, "/dev/zero"] {
            let error = #expect(throws: ConfigError.self) { try ConfigFile.text(of: path) }
            #expect(error?.message == "found a directory, a pipe or a device, wanted a file")
        }
    }

    private func lines(_ file: String) -> [String] {
        CheckedConfiguration(file: file, environment: [:], catalogue: .sample).diagnostics.lines
    }
}
