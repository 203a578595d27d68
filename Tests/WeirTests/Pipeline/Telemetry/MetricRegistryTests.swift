import Synchronization
import Testing

@testable import Weir

@Suite struct MetricRegistryTests {
    @Test func givesTheSameInstanceForTheSameNameAndLabels() {
        let registry = MetricRegistry()
        let first = registry.counter("a", help: "h", labels: ["x": "1", "y": "2"])
        #expect(first === registry.counter("a", help: "h", labels: ["y": "2", "x": "1"]))
        #expect(first !== registry.counter("a", help: "h", labels: ["x": "1"]))
        #expect(first !== registry.counter("b", help: "h", labels: ["x": "1", "y": "2"]))
        #expect(registry.gauge("g", help: "h") === registry.gauge("g", help: "h"))
        #expect(registry.histogram("s", help: "h", bounds: [1]) === registry.histogram("s", help: "h", bounds: [1]))
    }

    @Test func givesTheSameInstanceToManyThreads() async {
        let registry = MetricRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for number in 0..<1_000 {
                        registry.counter("spans", help: "h", labels: ["n": "\(number % 10)"]).add()
                    }
                }
            }
        }
        for number in 0..<10 {
            #expect(registry.counter("spans", help: "h", labels: ["n": "\(number)"]).value == 800)
        }
    }

    @Test func sharesOneSeriesBeyondItsLimitAndCountsThat() {
        // One place is the registry's own counter.
        let registry = MetricRegistry(maxSeries: 3)
        let known = (1...2).map { registry.counter("spans", help: "h", labels: ["tenant": "\($0)"]) }
        let shared = registry.counter("spans", help: "h", labels: ["tenant": "3"])
        #expect(shared === registry.counter("spans", help: "h", labels: ["tenant": "4"]))
        #expect(known[0] === registry.counter("spans", help: "h", labels: ["tenant": "1"]))
        #expect(!known.contains { $0 === shared })
        registry.gauge("other", help: "h", labels: ["tenant": "3"]).set(5)
        registry.observe("read", kind: .gauge, help: "h", labels: ["tenant": "3"]) { 7 }
        shared.add(2)
        let text = registry.render()
        #expect(text.contains("spans{otel_metric_overflow=\"true\"} 2\n"))
        #expect(text.contains("other{otel_metric_overflow=\"true\"} 5\n"))
        #expect(text.contains("weir_metric_series_overflowed 4\n"))
        #expect(!text.contains("read"))
    }

    @Test func holdsTenThousandSeriesAndNoMore() {
        let registry = MetricRegistry()
        for number in 0..<10_500 { registry.counter("spans", help: "h", labels: ["n": "\(number)"]).add() }
        let lines = registry.render().split(separator: "\n").filter { $0.hasPrefix("spans{") }
        #expect(lines.count == 9_999 + 1)
        #expect(lines.contains("spans{otel_metric_overflow=\"true\"} 501"))
    }

    @Test func readsCallbacksAnewEachTime() {
        let registry = MetricRegistry()
        let size = Gauge()
        registry.observe("queue_size", kind: .gauge, help: "h") { size.value }
        size.set(3)
        #expect(registry.render().contains("queue_size 3\n"))
        size.set(4)
        #expect(registry.render().contains("queue_size 4\n"))
    }

    @Test func replacesACallbackByALaterOne() {
        let registry = MetricRegistry(maxSeries: 2)
        registry.observe("queue_size", kind: .gauge, help: "h") { 1 }
        registry.observe("queue_size", kind: .gauge, help: "h") { 2 }
        #expect(registry.render().contains("queue_size 2\n"))
        #expect(registry.render().contains("weir_metric_series_overflowed 0\n"))
    }

    @Test func letsACallbackUseTheRegistry() {
        let registry = MetricRegistry()
        registry.observe("outer", kind: .counter, help: "h") { [unowned registry] in
            Double(registry.counter("inner", help: "h").value)
        }
        registry.counter("inner", help: "h").add(3)
        #expect(registry.render().contains("outer 3\n"))
    }

    @Test func refusesOneNameForTwoKinds() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricRegistry()
            _ = registry.counter("a", help: "h")
            _ = registry.gauge("a", help: "h")
        }
    }

    @Test func refusesNamesThatPrometheusWouldNotRead() async {
        await #expect(processExitsWith: .failure) { _ = MetricRegistry().counter("otelcol.spans", help: "h") }
        await #expect(processExitsWith: .failure) { _ = MetricRegistry().counter("", help: "h") }
        await #expect(processExitsWith: .failure) { _ = MetricRegistry().counter("1a", help: "h") }
        await #expect(processExitsWith: .failure) { _ = MetricRegistry().counter("a", help: "h", labels: ["b:c": ""]) }
    }
}
