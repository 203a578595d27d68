import Foundation
import Testing

@testable import Weir

@Suite struct PipelineDirectoriesTests {
    private func check(_ text: String) -> [String] {
        CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue).diagnostics.lines
    }

    @Test(arguments: ["d2", "./d2", "d2/", "x/../d2", ".//d2/."])
    func twoExportersOfAPipelineHaveTwoDirectories(other: String) {
        let text = """
            receivers: { otlp: }
            exporters:
              archive/a: { directory: d2 }
              archive/b: { directory: "\(other)" }
              archive/c: { directory: d3 }
            service:
              pipelines:
                traces: { receivers: [otlp], exporters: [archive/a, archive/c, archive/b] }
                traces/b: { receivers: [otlp], exporters: [archive/b, archive/c] }
            """
        #expect(
            check(text) == [
                "f:8: service.pipelines.traces.exporters: found archive/a and archive/b with one directory, \(other); "
                    + "wanted one for each"
            ])
        #expect(check(text.replacing("archive/c, archive/b]", with: "archive/c]")) == [])
    }

    /// A ring that two pipelines write to would have what one of them left out.
    @Test(
        arguments: [
            ("d1", "traces"), ("x/../d1/", "traces"), ("j", "service.journal"), ("./j/r", "service.journal"),
            ("d4", "archive"), ("d2", nil),
        ] as [(String, String?)])
    func twoStagesHaveTwoDirectories(other: String, owner: String?) {
        let policies = "policies: [ { name: a, type: always_sample } ]"
        let lines = check(
            """
            receivers: { otlp: }
            processors:
              tail_sampling: { \(policies), recall: { directory: d1 } }
              tail_sampling/b: { \(policies), recall: { directory: \(other) } }
            exporters: { archive: { directory: d4 } }
            service:
              journal: { directory: ./j }
              pipelines:
                traces: { receivers: [otlp], processors: [tail_sampling], exporters: [archive] }
                traces/b: { receivers: [otlp], processors: [tail_sampling/b], exporters: [archive] }
            """)
        let problem = owner.map {
            "f:10: service.pipelines.traces/b.processors: found tail_sampling/b with the directory \(other), which "
                + "\($0) has; wanted one for each"
        }
        #expect(lines == [problem].compactMap(\.self))
    }

    /// Archives of two pipelines may share one.
    @Test(arguments: [false, true]) func aStageHasNotThatOfAnArchiveOfAnotherPipeline(isFirst: Bool) {
        let staged = "{ receivers: [otlp], processors: [tail_sampling], exporters: [debug] }"
        let archived = "{ receivers: [otlp], exporters: [archive] }"
        let lines = check(
            """
            receivers: { otlp: }
            processors:
              tail_sampling: { policies: [ { name: a, type: always_sample } ], recall: { directory: d1 } }
            exporters: { debug: , archive: { directory: ./d1 } }
            service:
              pipelines:
                traces/a: \(isFirst ? staged : archived)
                traces/b: \(archived)
                traces/c: \(isFirst ? archived : staged)
            """)
        let problems =
            isFirst
            ? [
                "f:8: service.pipelines.traces/b.exporters: found archive with the directory ./d1, which traces/a has; "
                    + "wanted one for each",
                "f:9: service.pipelines.traces/c.exporters: found archive with the directory ./d1, which traces/a has; "
                    + "wanted one for each",
            ]
            : [
                "f:9: service.pipelines.traces/c.processors: found tail_sampling with the directory d1, "
                    + "which archive has; wanted one for each"
            ]
        #expect(lines == problems)
    }

    @Test func soHaveThoseOfATeam() throws {
        let teams = try TemporaryDirectory()
        let file = "\(teams.path)/shop.yaml"
        try """
        owner: shop@example.com
        exporters: { archive/own: { directory: ./d2 } }
        pipelines: { traces: { receivers: [otlp], exporters: [archive, archive/own] } }
        """.write(toFile: file, atomically: true, encoding: .utf8)
        let lines = check(
            """
            receivers: { otlp: }
            exporters: { archive: { directory: d2 } }
            service:
              pipelines_directory: \(teams.path)
              pipelines: { traces: { receivers: [otlp], exporters: [archive] } }
            """)
        #expect(lines.count == 1)
        #expect(lines.first?.contains("found archive and archive/own@shop with one directory, ./d2") == true)
    }
}
