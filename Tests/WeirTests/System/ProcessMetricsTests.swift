import Glibc
import Testing

@testable import Weir

@Suite struct ProcessMetricsTests {
    @Test func tellsTheProcessorTimeMemoryAndAgeOfThisProcess() throws {
        let registry = MetricRegistry()
        ProcessMetrics.register(in: registry)
        let text = registry.render()
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }, "\(name)")
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        // A test that has come this far has used some of each, and less than an hour or a terabyte.
        #expect((0.000_1...7_200).contains(try value("otelcol_process_cpu_seconds")))
        #expect((1e6...1e12).contains(try value("otelcol_process_memory_rss")))
        #expect((0...3_600).contains(try value("otelcol_process_uptime")))
        #expect(text.contains("# TYPE otelcol_process_cpu_seconds counter\n"))
        #expect(text.contains("# TYPE otelcol_process_memory_rss gauge\n"))
    }

    @Test func countsTimeThatIsSpent() throws {
        let registry = MetricRegistry()
        ProcessMetrics.register(in: registry)
        func seconds() throws -> Double {
            let name = "otelcol_process_cpu_seconds "
            let line = try #require(registry.render().split(separator: "\n").first { $0.hasPrefix(name) })
            return try #require(Double(line.dropFirst(name.count)))
        }
        let before = try seconds()
        let deadline = ContinuousClock.now + .seconds(30)
        while try seconds() < before + 0.03, ContinuousClock.now < deadline {}
        #expect(try seconds() >= before + 0.03)
    }

    @Test func readsTheFieldsBehindANameOfAnyKind() throws {
        let fields = "S 1 2 3 0 -1 4194560 100 200 0 0 31 11 0 0 20 0 5 0 123456 1000000 500"
        for name in ["weir", "a b", "a) S 9 9 (b", ")", "(("] {
            let stat = try #require(ProcessStat("4711 (\(name)) \(fields)\n"))
            #expect(stat.cpuTicks == 42)
            #expect(stat.startTicks == 123_456)
        }
    }

    @Test func refusesALineThatIsNotAProcesss() {
        #expect(ProcessStat("") == nil)
        #expect(ProcessStat("4711 weir S 1 2 3") == nil)
        #expect(ProcessStat("4711 (weir) S 1 2 3 0 -1 4194560 100 200 0 0 31 11 0 0 20 0 5 0") == nil)
        #expect(ProcessStat("4711 (weir) S 1 2 3 0 -1 4194560 100 200 0 0 x 11 0 0 20 0 5 0 123456") == nil)
        #expect(ProcessStat("4711 (weir) S 1 2 3 0 -1 4194560 100 200 0 0 -3 11 0 0 20 0 5 0 123456") == nil)
    }
}
