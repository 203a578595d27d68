import Foundation
import Logging
import Synchronization
import Testing

@testable import Weir

@Suite struct LineLogHandlerTests {
    /// A log that goes to a file of its own, with a clock that a test sets.
    final class Log: Sendable {
        let file: URL
        let descriptor: Int32
        let sink: LogSink
        private let now: Now

        final class Now: Sendable {
            let value = Mutex(Duration.zero)
        }

        init(_ encoding: TelemetryConfiguration.LogEncoding = .logfmt) throws {
            file = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID()).log")
            descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0)
            let now = Now()
            self.now = now
            sink = LogSink(encoding, descriptor: descriptor) { now.value.withLock { $0 } }
        }

        deinit {
            close(descriptor)
            try? FileManager.default.removeItem(at: file)
        }

        func advance(_ step: Duration) {
            now.value.withLock { $0 += step }
        }

        func logger(_ label: String = "weir", level: Logger.Level = .info) -> Logger {
            Logger(label: label) { LineLogHandler(label: $0, level: level, sink: self.sink) }
        }

        /// What was written, without the time.
        func lines() throws -> [String] {
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast().map { String($0.drop { $0 != " " }.dropFirst()) }
        }
    }

    @Test func writesWhatALoggerIsGiven() throws {
        let log = try Log()
        var logger = log.logger()
        logger[metadataKey: "pipeline"] = "traces"
        logger.info("started", metadata: ["exporters": ["debug", "archive"], "limits": ["b": "2", "a": "1"]])
        logger.debug("not shown")
        #expect(
            try log.lines() == [
                #"level=info label=weir message=started exporters="[debug, archive]" limits="{a: 1, b: 2}" pipeline=traces"#
            ])
    }

    @Test func prefersTheMetadataNearestToTheEvent() throws {
        let log = try Log()
        var handler = LineLogHandler(label: "weir", sink: log.sink)
        handler.metadata = ["a": "logger", "b": "logger", "c": "logger"]
        handler.metadataProvider = .init { ["b": "provider", "c": "provider"] }
        let logger = Logger(label: "weir") { _ in handler }
        logger.info("m", metadata: ["c": "event"])
        #expect(try log.lines() == ["level=info label=weir message=m a=logger b=provider c=event"])
    }

    @Test func writesAnErrorThatComesWithAnEvent() throws {
        let log = try Log()
        log.logger().error("export failed", error: ExportFailed())
        #expect(try log.lines() == [#"level=error label=weir message="export failed" error="disk full""#])
    }

    struct ExportFailed: Error, CustomStringConvertible {
        var description: String { "disk full" }
    }

    @Test func thinsOutAFloodAndSaysSo() throws {
        let log = try Log()
        let logger = log.logger()
        for number in 1...250 { logger.error("disk full", metadata: ["number": "\(number)"]) }
        var lines = try log.lines()
        #expect(lines.count == 12)
        #expect(lines[9] == #"level=error label=weir message="disk full" number=10"#)
        #expect(lines[10] == #"level=error label=weir message="disk full" number=110 suppressed=99"#)
        #expect(lines[11] == #"level=error label=weir message="disk full" number=210 suppressed=99"#)

        log.advance(.seconds(10))
        logger.info("other")
        lines = try log.lines()
        #expect(
            lines.dropFirst(12) == [
                #"level=error label=weir message="equal lines were suppressed" of="disk full" suppressed=40"#,
                "level=info label=weir message=other",
            ])
    }

    @Test func tellsOfAFloodThatIsOverWithoutAnotherLine() throws {
        let log = try Log()
        for _ in 1...25 { log.logger().error("disk full") }
        log.sink.endTick()
        #expect(try log.lines().count == 10, "the tick is not over")
        log.advance(.seconds(11))
        log.sink.endTick()
        log.sink.endTick()
        #expect(try log.lines().count == 11)
        #expect(try log.lines().last?.hasSuffix("suppressed=15") == true)
    }

    @Test func tellsWhatIsHeldBackWhenTheProcessEnds() throws {
        let log = try Log(.json)
        for _ in 1...11 { log.logger().error("disk full") }
        log.sink.finish()
        let last = try #require(String(contentsOf: log.file, encoding: .utf8).split(separator: "\n").last)
        #expect(last.hasSuffix(#""message":"equal lines were suppressed","of":"disk full","suppressed":"1"}"#))
    }

    @Test func boundsAFloodOfDifferentMessages() throws {
        let log = try Log()
        for number in 0..<3_000 { log.logger().error("number \(number)") }
        // 1,000 kinds of their own, then 10 and every 100th of the others together.
        #expect(try log.lines().count == 1_000 + 10 + 19)
    }

    @Test func keepsLinesWholeWhenManyThreadsLog() async throws {
        let log = try Log()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let logger = log.logger("weir.\(task)")
                    for number in 0..<100 {
                        logger.info("message \(number)", metadata: ["filler": "\(String(repeating: "x", count: 500))"])
                    }
                }
            }
        }
        let lines = try log.lines()
        #expect(lines.count == 800)
        #expect(Set(lines).count == 800)
        #expect(lines.allSatisfy { $0.hasPrefix("level=info label=weir.") && $0.hasSuffix("xxx") })
    }

    @Test func countsLinesThatCannotBeWritten() throws {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let sink = LogSink(.logfmt, descriptor: descriptor)
        let logger = Logger(label: "weir") { LineLogHandler(label: $0, sink: sink) }
        logger.info("lost")
        #expect(sink.lostLines == 1)
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        defer { close(full) }
        let other = LogSink(.logfmt, descriptor: full)
        other.log(.info, label: "weir", message: "lost", metadata: [:])
        #expect(other.lostLines == 1)
    }

    @Test func takesTheTimeFromTheSystem() {
        let now = Duration.seconds(Date.now.timeIntervalSince1970)
        let difference = LogSink.systemTime() - now
        #expect((Duration.seconds(-5)...(.seconds(5))).contains(difference))
    }
}
