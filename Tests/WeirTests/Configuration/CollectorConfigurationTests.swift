import Foundation
import Testing

@testable import Weir

@Suite struct CollectorConfigurationTests {
    private let smallest = """
        receivers: { door: }
        exporters: { shelf: }
        service: { pipelines: { traces: { receivers: [door], exporters: [shelf] } } }
        """

    @Test func fillsDefaultsIn() throws {
        let configuration = try #require(read(smallest).configuration)
        #expect(configuration.service.telemetry.metrics?.endpoint == Endpoint(host: "127.0.0.1", port: 8888))
        #expect(configuration.service.telemetry.logLevel == .info)
        #expect(configuration.service.telemetry.logEncoding == .logfmt)
        #expect(configuration.service.journal.limits.maxBytes == .gibibytes(8))
        let pipeline = try #require(configuration.service.pipelines.first)
        #expect(pipeline.id == ComponentID(type: "traces"))
        #expect(pipeline.receivers == [ComponentID(type: "door")])
        #expect(pipeline.processors.isEmpty)
        #expect(pipeline.exporters == [ComponentID(type: "shelf")])
        let door = try #require(configuration.receivers.first?.configuration as? Door)
        #expect(door.endpoint == Endpoint(host: "127.0.0.1", port: 4318))
        #expect(door.certificate == nil)
    }

    @Test func readsWhatTheFileSays() throws {
        let configuration = try #require(
            read(
                """
                receivers: { door/side: { http: { endpoint: "[::1]:1", max_size: 1MiB, read_timeout: 0s }, tls: { cert_file: x.pem } } }
                processors: { paint: { actions: [ { key: a, value: 20, action: upsert } ], share: 0.5, layers: 2, dry: false, colours: [a, b] } }
                exporters: { shelf/b: { directory: d, level: high } }
                service:
                  telemetry: { metrics: { level: none }, logs: { level: debug, encoding: json } }
                  journal: { max_bytes: 1GiB }
                  pipelines: { traces/b: { receivers: [door/side], processors: [paint], exporters: [shelf/b] } }
                """
            ).configuration)
        let door = try #require(configuration.receivers.first?.configuration as? Door)
        #expect(door.endpoint == Endpoint(host: "::1", port: 1))
        #expect(door.maxSize == .mebibytes(1))
        #expect(door.certificate == "x.pem")
        let paint = try #require(configuration.processors.first?.configuration as? Paint)
        #expect(paint.strokes.map(\.value) == [.int(20)])
        #expect(paint.share == 0.5)
        let shelf = try #require(configuration.exporters.first?.configuration as? Shelf)
        #expect(shelf.level == 2)
        #expect(configuration.service.telemetry.metrics == nil)
        #expect(configuration.service.telemetry.logLevel == .debug)
        #expect(configuration.service.pipelines.first?.id == ComponentID(type: "traces", name: "b"))
    }

    @Test func missesTheSectionsOfAnEmptyFile() {
        check(
            "", fails: "1: receivers: is missing, wanted 1...1000 entries",
            "1: exporters: is missing, wanted 1...1000 entries",
            "1: service.pipelines: is missing, wanted 1...100 entries")
        check("[]", fails: "1: found a list, wanted a mapping")
    }

    @Test func refusesUnknownTypes() {
        check(
            """
            receivers: { dor: { a: 1 }, door: }
            exporters: { shelf: , kafka/x: }
            extensions:
              health_check:
            service: { pipelines: { traces: { receivers: [door, dor], exporters: [shelf, kafka/x] } } }
            """,
            fails:
                "1: receivers.dor: is not a known type of receiver, wanted one of door (did you mean \"door\"?)",
            "2: exporters.kafka/x: is not a known type of exporter, wanted one of shelf",
            "4: extensions.health_check: is not a known type of extension, wanted one of bell, lamp")
    }

    @Test func refusesUnknownSectionsAndKeys() {
        check(
            """
            receivers: { door: { htp: {} } }
            exporters: { shelf: }
            servce: {}
            service: { pipelines: { traces: { receivers: [door], exporter: [shelf], exporters: [shelf] } }, telemetry: { traces: {} } }
            """,
            fails:
                "1: receivers.door.htp: is not a known key, wanted one of http, tls (did you mean \"http\"?)",
            "3: servce: is not a known key, wanted one of receivers, processors, exporters, extensions, service (did you mean \"service\"?)",
            "4: service.telemetry.traces: is not a known key, wanted one of metrics, logs",
            "4: service.pipelines.traces.exporter: is not a known key, wanted one of tenants, receivers, processors, exporters (did you mean \"exporters\"?)"
        )
    }

    @Test func refusesReferencesToNothingAndTwice() {
        check(
            """
            receivers: { door: }
            processors: { paint: }
            exporters: { shelf/a: }
            service:
              pipelines:
                traces:
                  receivers: [door, dor]
                  processors:
                    - paint
                    - glue
                    - paint
                  exporters: [shelf/b, shelf/a]
            """,
            fails:
                "7: service.pipelines.traces.receivers[1]: found \"dor\", which receivers does not define, wanted one of door (did you mean \"door\"?)",
            "10: service.pipelines.traces.processors[1]: found \"glue\", which processors does not define, wanted one of paint",
            "11: service.pipelines.traces.processors[2]: found \"paint\" a second time, wanted it once",
            "12: service.pipelines.traces.exporters[0]: found \"shelf/b\", which exporters does not define, wanted one of shelf/a (did you mean \"shelf/a\"?)"
        )
    }

    @Test func refusesPipelinesWithoutEnds() {
        check(
            """
            receivers: { door: }
            exporters: { shelf: }
            service:
              pipelines:
                traces: { receivers: [door], exporters: [shelf] }
                traces/a: { receivers: [door] }
                traces/b:
                  receivers: []
                  exporters: [shelf]
                traces/c:
            """,
            fails:
                "6: service.pipelines.traces/a.exporters: is missing, wanted a list of 1...100 entries",
            "8: service.pipelines.traces/b.receivers: found 0 entries, wanted 1...100",
            "10: service.pipelines.traces/c.receivers: is missing, wanted a list of 1...100 entries",
            "10: service.pipelines.traces/c.exporters: is missing, wanted a list of 1...100 entries")
    }

    @Test func carriesTracesOnly() {
        check(
            """
            receivers: { door: }
            exporters: { shelf: }
            service:
              pipelines:
                metrics: { receivers: [door], exporters: [shelf] }
            """,
            fails:
                "5: service.pipelines.metrics: found a pipeline for metrics, wanted traces or traces/name: Weir carries traces only"
        )
    }

    @Test func warnsOfDefinitionsThatNothingUses() {
        check(
            """
            receivers:
              door:
              door/b:
            processors: { paint: }
            exporters: { shelf: }
            service: { pipelines: { traces: { receivers: [door], exporters: [shelf] } } }
            """, fails: "3: warning: receivers.door/b: is not used by any pipeline",
            "4: warning: processors.paint: is not used by any pipeline")
    }

    @Test func findsTheExtensionsThatComponentsName() {
        func file(_ authenticator: String, _ extensions: String) -> String {
            """
            extensions:
            \(extensions)
            receivers: { door: }
            exporters: { shelf: }
            service:
              operations:
                auth: { authenticator: \(authenticator) }
              pipelines: { traces: { receivers: [door], exporters: [shelf] } }
            """
        }
        check(file("bell/front", "  bell/front:"))
        check(
            file("bell", "  bell/front:"),
            fails: "2: warning: extensions.bell/front: is not used by any component",
            "7: service.operations.auth.authenticator: found \"bell\", which extensions does not define, "
                + "wanted one of bell/front")
        check(
            file("bell", ""),
            fails: "7: service.operations.auth.authenticator: found \"bell\", which extensions does not define, "
                + "wanted a definition there")
        check(
            file("lamp", "  lamp:"),
            fails: "7: service.operations.auth.authenticator: found \"lamp\", which is no authenticator")
        check(
            file("B!", "  bell:"),
            fails: "2: warning: extensions.bell: is not used by any component",
            "7: service.operations.auth.authenticator: found \"B!\", wanted an id: type or type/name, the type of "
                + "a-z, 0-9 and _, the name of letters, digits, _, - and .")
    }

    @Test func whatNamesAnExtensionOrNoneSaysSo() {
        func file(_ extensions: String) -> String {
            """
            \(extensions)
            receivers: { door: }
            exporters: { shelf: }
            service:
              journal: { encryption: false }
              pipelines: { traces: { receivers: [door], exporters: [shelf] } }
            """
        }
        let place = "5: service.journal.encryption: found \"false\", which extensions does not define, "
        check(file(""), fails: place + "wanted a definition there, or off")
        check(
            file("extensions: { bell: }"), fails: "1: warning: extensions.bell: is not used by any component",
            place + "wanted one of bell, or off")
    }

    @Test func notesComponentsThatDoNothing() {
        check(
            """
            receivers: { door: }
            processors: { batch: }
            exporters: { shelf: }
            service: { pipelines: { traces: { receivers: [door], processors: [batch], exporters: [shelf] } } }
            """, fails: "2: note: processors.batch: does nothing: delivery batches")
    }

    @Test func reportsWhatAComponentThrows() {
        check(
            """
            receivers: { door: }
            exporters: { shelf: { directory: / } }
            service: { pipelines: { traces: { receivers: [door], exporters: [shelf] } } }
            """, fails: "2: exporters.shelf: found the root directory, wanted one for the spans alone")
    }

    @Test func reportsEverythingAtOnceWithItsLine() {
        check(
            """
            receivers:
              door:
                http:
                  endpoint: 4318
                  max_size: 2GiB
                  read_timeout: 30
                tls: {}
              door:
            processors:
              paint:
                actions:
                  - key: a
                    acton: upsert
                    action: upsert
                  - { value: x, action: inert, key: "" }
                layers: "2"
              Paint/x:
            exporters:
              shelf:
                api_key: ${env:KEY}
                level: middle
            service:
              journal: { max_bytes: 1 }
              pipelines: { traces: { receivers: [door], processors: [paint], exporters: [shelf, archive] } }
            """,
            fails:
                "4: receivers.door.http.endpoint: found \"4318\", wanted host:port such as 127.0.0.1:4318 or [::1]:4318, or 0.0.0.0:4318 for every address",
            "5: receivers.door.http.max_size: found 2GiB, wanted a size in 1KiB...1GiB",
            "6: receivers.door.http.read_timeout: found 30, wanted a duration such as 200ms, 10s or 1h30m, in 0s...1h",
            "7: receivers.door.tls.cert_file: is missing, wanted a string",
            "8: receivers.door: is given twice, first on line 2",
            "12: processors.paint.actions[0].value: is missing, wanted a value for upsert",
            "13: processors.paint.actions[0].acton: is not a known key, wanted one of key, value, action (did you mean \"action\"?)",
            "15: processors.paint.actions[1].key: found an empty string, wanted a string that is not empty",
            "15: processors.paint.actions[1].action: found the string \"inert\", wanted one of insert, upsert, delete (did you mean \"insert\"?)",
            "16: processors.paint.layers: found the string \"2\", wanted an integer in 1...10",
            "17: processors.Paint/x: found \"Paint/x\", wanted an id: type or type/name, the type of a-z, 0-9 and _, the name of letters, digits, _, - and .",
            "20: exporters.shelf.api_key: environment variable KEY is not set, wanted a value for it or a default: ${env:KEY:-default}",
            "21: exporters.shelf.level: found middle, wanted low or high",
            "23: service.journal.max_bytes: found 1, wanted a size in 16MiB...16TiB",
            "24: service.pipelines.traces.exporters[1]: found \"archive\", which exporters does not define, wanted one of shelf"
        )
    }

    private func read(_ yaml: String) -> CheckedConfiguration {
        CheckedConfiguration(yaml, file: "collector.yaml", environment: [:], catalogue: .sample)
    }
}
