import Foundation
import Synchronization
import Testing

@testable import Weir

@Suite struct ArchivePublishTests {
    @Test func showsReadersOnlyWholeFiles() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: none", "max_file_size: 64KiB")
        let reader = Reader(archive.directory)
        let thread = Thread { reader.run() }
        thread.start()
        do {
            defer { reader.stop() }
            for number in 0..<200 as Range<UInt64> {
                let ids = number * 10 + 1...number * 10 + 10
                try await archive.export(SampleBatch.batch(ids, padding: 1_000))
            }
            await archive.exporter.finish()
        }
        let seen = reader.seen.withLock { $0 }
        #expect(!seen.isEmpty)
        for (file, contents) in seen {
            #expect(try archive.directory.contents(of: file) == contents, "\(file) changed after it was published")
        }
        #expect(try archive.spanIDs(in: archive.published) == Array(1...2_000))
    }

    /// Looks for files all the time, and keeps what it read from each when it first saw it.
    private final class Reader: Sendable {
        let seen = Mutex<[String: [UInt8]]>([:])
        private let directory: TemporaryDirectory
        private let isStopping = Atomic(false)
        private let isStopped = DispatchSemaphore(value: 0)

        init(_ directory: TemporaryDirectory) {
            self.directory = directory
        }

        func run() {
            repeat { look() } while !isStopping.load(ordering: .relaxed)
            look()
            isStopped.signal()
        }

        func stop() {
            isStopping.store(true, ordering: .relaxed)
            isStopped.wait()
        }

        private func look() {
            for file in directory.archiveFiles() where !file.hasPrefix(".open/") {
                guard seen.withLock({ $0[file] == nil }) else { continue }
                let contents = (try? directory.contents(of: file)) ?? []
                seen.withLock { $0[file] = contents }
            }
        }
    }
}
