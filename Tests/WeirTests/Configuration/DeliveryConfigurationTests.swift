import Testing

@testable import Weir

@Suite struct DeliveryConfigurationTests {
    @Test func hasTheDocumentedDefaults() {
        check("{}", { read(&$0).timeout }, gives: .seconds(30))
        check("{}", { read(&$0).retry.isEnabled }, gives: true)
        check("{}", { read(&$0).retry.initialInterval }, gives: .seconds(1))
        check("{}", { read(&$0).retry.maxInterval }, gives: .seconds(30))
        check("{}", { read(&$0).retry.multiplier }, gives: 2)
        check("{}", { read(&$0).retry.maxElapsedTime }, gives: .zero)
        check("{}", { read(&$0).queue.consumers }, gives: 1)
        check("{}", { read(&$0).queue.flushTimeout }, gives: .milliseconds(200))
        check("{}", { read(&$0).queue.maxSpans }, gives: 8_192)
        check("{}", { read(&$0).queue.maxBytes }, gives: 4 << 20)
        check("{}", { read(&$0).onFull }, gives: .refuse)
        check("{}", { read(&$0).splitsRecords }, gives: true)
    }

    @Test func takesTheDefaultsOfTheExporter() {
        let defaults = DeliveryDefaults(timeout: .zero, consumers: 4, maxConsumers: 8, splitsRecords: false)
        func read(_ fields: inout Fields) -> DeliveryConfiguration {
            DeliveryConfiguration(&fields, defaults: defaults)
        }
        check("{}", { read(&$0).timeout }, gives: .zero)
        check("{}", { read(&$0).queue.consumers }, gives: 4)
        check("{}", { read(&$0).splitsRecords }, gives: false)
        check(
            "{ sending_queue: { num_consumers: 9 } }", read,
            fails: "1: sending_queue.num_consumers: found 9, wanted an integer in 1...8")
    }

    @Test func anArchiveIsWrittenByOneAndNeverCutOff() {
        let defaults = ArchiveExporter.deliveryDefaults
        #expect(defaults.timeout == .zero)
        #expect(defaults.maxConsumers == 1)
        #expect(!defaults.splitsRecords)
    }

    @Test func whatIsNotRequiredIsSkipped() {
        check("{ required: false }", { read(&$0).onFull }, gives: .skip)
        check("{ required: false, on_full: skip }", { read(&$0).onFull }, gives: .skip)
        check("{ on_full: skip }", { read(&$0).onFull }, gives: .skip)
        check(
            "{ required: false, on_full: refuse }", { read(&$0) },
            fails: "1: on_full: found refuse where required is false, wanted skip")
    }

    @Test func saysWhatAKeyOfTheOpenTelemetryCollectorDoesNotDo() {
        check(
            """
            sending_queue: { enabled: false, queue_size: 5000, storage: file_storage, sizer: items }
            retry_on_failure: { randomization_factor: 0.5 }
            """, { read(&$0) },
            fails: "2: note: retry_on_failure.randomization_factor: has no effect: "
                + "each pause is drawn between a tenth and all of its length",
            "1: note: sending_queue.enabled: has no effect: the journal is the queue",
            "1: note: sending_queue.queue_size: has no effect: the journal is the queue",
            "1: note: sending_queue.storage: has no effect: the journal is the queue",
            "1: note: sending_queue.sizer: has no effect: the journal is the queue")
    }

    @Test func saysWhatIsWrongWithAKey() {
        check(
            """
            timeout: 2h
            retry_on_failure: { initial_interval: 1m, multiplier: 0.5, max_elapsed_time: 31d }
            sending_queue: { num_consumers: 0, batch: { max_spans: 0, max_bytes: 65MiB, min_size: 1 } }
            on_full: drop
            """, { read(&$0) },
            fails: "1: timeout: found 2h, wanted a duration in 0s...1h",
            "2: retry_on_failure.multiplier: found 0.5, wanted a number in 1.0...10.0",
            "2: retry_on_failure.max_elapsed_time: found 31d, wanted a duration in 0s...30d",
            "2: retry_on_failure.max_interval: found 30s, wanted at least initial_interval",
            "3: sending_queue.num_consumers: found 0, wanted an integer in 1...64",
            "3: note: sending_queue.batch.min_size: has no effect: max_spans and max_bytes say it",
            "3: sending_queue.batch.max_spans: found 0, wanted an integer in 1...1000000",
            "3: sending_queue.batch.max_bytes: found 65MiB, wanted a size in 1KiB...64MiB",
            "4: on_full: found the string \"drop\", wanted one of refuse, skip")
    }

    @Test func aTenantsShareAboveTheWholeIsNone() {
        check("max_bytes: 16MiB\ntenant_max_bytes: 16MiB", { JournalSettings(&$0).maxBytes }, gives: .mebibytes(16))
        check(
            "max_bytes: 16MiB\ntenant_max_bytes: 17MiB", { JournalSettings(&$0).maxBytes },
            fails: "2: warning: tenant_max_bytes: is above max_bytes, 16MiB, so that no tenant ever holds more")
    }

    @Test func eachPipelineHasADirectoryOfItsOwn() {
        #expect(ComponentID(type: "traces").fileName == "traces")
        #expect(ComponentID(type: "traces", name: "eu").fileName == "traces~eu")
        check(
            "{ directory: /var/lib/weir }",
            { JournalConfiguration(&$0).directory(of: ComponentID(type: "traces", name: "eu")) },
            gives: "/var/lib/weir/traces~eu")
        check("{}", { JournalConfiguration(&$0).maxDeadLetters }, gives: .gibibytes(1))
        check("{}", { JournalConfiguration(&$0).maxParked }, gives: .gibibytes(1))
        check(
            "{ parked: { max_bytes: 1MiB } }", { JournalConfiguration(&$0).maxParked },
            fails: "1: parked.max_bytes: found 1MiB, wanted a size in 128MiB...1TiB")
    }

    private func read(_ fields: inout Fields) -> DeliveryConfiguration {
        DeliveryConfiguration(&fields, defaults: DeliveryDefaults())
    }
}
