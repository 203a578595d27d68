import Testing

@testable import Weir

@Suite struct PrometheusTextTests {
    @Test func writesFamiliesAndSeriesInOrder() {
        let registry = MetricRegistry()
        let name = "otelcol_receiver_accepted_spans"
        let http = registry.counter(name, help: "Spans accepted.", labels: ["transport": "http", "receiver": "otlp"])
        let grpc = registry.counter(name, help: "Spans accepted.", labels: ["transport": "grpc", "receiver": "otlp"])
        registry.gauge("otelcol_exporter_queue_size", help: "Batches waiting.").set(12)
        http.add(1_234_567)
        grpc.add(2)
        #expect(
            registry.render() == """
                # HELP otelcol_exporter_queue_size Batches waiting.
                # TYPE otelcol_exporter_queue_size gauge
                otelcol_exporter_queue_size 12
                # HELP otelcol_receiver_accepted_spans Spans accepted.
                # TYPE otelcol_receiver_accepted_spans counter
                otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 2
                otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 1234567
                # HELP weir_metric_series_overflowed Requests for a new metric series that got the overflow series \
                because there were too many.
                # TYPE weir_metric_series_overflowed counter
                weir_metric_series_overflowed 0

                """)
    }

    @Test func writesHistogramsWithCumulativeBuckets() {
        let registry = MetricRegistry()
        let histogram = registry.histogram("latency", help: "h", labels: ["route": "/v1"], bounds: [0.001, 0.5, 1, 10])
        for value in [0.000_5, 0.25, 0.5, 0.75, 20] { histogram.observe(value) }
        registry.histogram("bare", help: "h", bounds: [1]).observe(0.5)
        let text = registry.render()
        #expect(
            text.contains(
                """
                # TYPE latency histogram
                latency_bucket{route="/v1",le="0.001"} 1
                latency_bucket{route="/v1",le="0.5"} 3
                latency_bucket{route="/v1",le="1"} 4
                latency_bucket{route="/v1",le="10"} 4
                latency_bucket{route="/v1",le="+Inf"} 5
                latency_sum{route="/v1"} 21.5005
                latency_count{route="/v1"} 5

                """))
        #expect(text.contains("bare_bucket{le=\"1\"} 1\nbare_bucket{le=\"+Inf\"} 1\nbare_sum 0.5\nbare_count 1\n"))
    }

    @Test func escapesLabelsAndHelpTexts() {
        let registry = MetricRegistry()
        registry.counter("a", help: "back\\slash, line\nfeed, \"quotes\"", labels: ["v": "b\\s\nl\"q\r\nü"]).add()
        let text = registry.render()
        #expect(text.contains("# HELP a back\\\\slash, line\\nfeed, \"quotes\"\n"))
        #expect(text.contains("a{v=\"b\\\\s\\nl\\\"q\r\\nü\"} 1\n"))
    }

    @Test func cutsLabelsThatAreTooLong() {
        let limit = MetricRegistry.maxLabelValue
        let most = String(repeating: "x", count: limit)
        #expect(PrometheusText.labels(["v": most + "y"]) == "v=\"\(most)\"")
        #expect(PrometheusText.labels(["v": "e" + String(repeating: "\u{301}", count: 9_999)]).utf8.count < limit * 4)
    }

    @Test func writesNumbersAsPrometheusReadsThem() {
        func check(_ value: Double, _ text: String) {
            #expect(PrometheusText.number(value) == text)
        }
        check(0, "0")
        check(-0.0, "0")
        check(42, "42")
        check(-1.5, "-1.5")
        check(0.1, "0.1")
        check(1e-7, "1e-07")
        check(1e14, "100000000000000")
        check(1e21, "1e+21")
        check(.infinity, "+Inf")
        check(-.infinity, "-Inf")
        check(.nan, "NaN")
    }

    @Test func leavesOutACallbackWithoutAValue() {
        let registry = MetricRegistry()
        registry.observe("a", kind: .gauge, help: "h") { nil }
        #expect(!registry.render().contains("\na "))
    }
}
