import ArgumentParser
import Foundation
import Testing

@testable import Weir

@Suite struct CommandsTests {
    @Test func configurationErrorsExitWithOne() throws {
        for name in ["check", "print-config"] {
            var command = try WeirCommand.parseAsRoot([name, "--config", "no/such.yaml"])
            let error = #expect(throws: ExitCode.self) { try command.run() }
            #expect(error == .failure)
        }
    }

    @Test(arguments: [
        ["chek"], ["check", "--confg", "x"], ["check", "--config"], ["components", "--type", "thing"], ["--bogus"],
    ])
    func usageErrorsExitWith64(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { try WeirCommand.parseAsRoot(arguments) }
        #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test func unknownComponentExitsWith64() throws {
        let command = try #require(try WeirCommand.parseAsRoot(["components", "dor"]) as? ComponentsCommand)
        let error = #expect(throws: ValidationError.self) { try command.select(from: .sample) }
        #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test func versionExitsWithZero() throws {
        let error = #expect(throws: (any Error).self) { try WeirCommand.parseAsRoot(["--version"]) }
        #expect(WeirCommand.exitCode(for: try #require(error)) == .success)
        #expect(WeirCommand.message(for: try #require(error)) == Program.version)
    }

    @Test func configDefaultsToCollectorYAML() throws {
        let command = try #require(try WeirCommand.parseAsRoot(["check"]) as? CheckCommand)
        #expect(command.option.file == "collector.yaml")
    }

    @Test func componentsSelectsByKindAndName() throws {
        #expect(try select("components") == ["door", "paint", "batch", "shelf", "bell", "lamp"])
        #expect(try select("components", "--type", "processor") == ["paint", "batch"])
        #expect(try select("components", "shelf") == ["shelf"])
    }

    @Test func componentsPrintsEveryKey() throws {
        let paint = try #require(Catalogue.sample.type("paint", of: .processor))
        #expect(
            ComponentReference(component: paint).text == """
                processor paint: Paints spans.
                  actions: list of sections, 0...100 entries
                      What to do, in order.
                  actions[].key: string, required
                      The attribute.
                  actions[].value: string, boolean, integer, number or list of strings
                      What it becomes.
                  actions[].action: one of insert, upsert, delete, required
                      What is done.
                  share: number, 0.0...100.0, default 20.0
                      Percent of the spans.
                  layers: integer, 1...10, default 1
                      How often.
                  dry: boolean, default true
                      Whether it dries.
                  colours: list of strings, 1...3 entries, default [red]
                      Which ones.

                """)
        let shelf = try #require(Catalogue.sample.type("shelf", of: .exporter))
        #expect(ComponentReference(component: shelf).text.contains("  api_key: string, secret\n"))
        let door = try #require(Catalogue.sample.type("door", of: .receiver))
        #expect(ComponentReference(component: door).text.contains("  tls: optional section\n"))
        #expect(ComponentReference(component: door).text.contains("  tls.cert_file: string, required\n"))
    }

    @Test func replaySelectsThePipelinesOfAnExporter() throws {
        let yaml = """
            receivers: { otlp: {} }
            exporters: { debug: {}, debug/b: {}, debug/c: {} }
            service:
              pipelines:
                traces: { receivers: [otlp], exporters: [debug, debug/b] }
                traces/eu: { receivers: [otlp], exporters: [debug] }
            """
        let configuration = try #require(
            CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue).configuration)
        func pipelines(_ arguments: String...) throws -> [String] {
            let command = try WeirCommand.parseAsRoot(["replay"] + arguments)
            return try #require(command as? ReplayCommand).select(from: configuration).pipelines.map(\.description)
        }
        #expect(try pipelines("--exporter", "debug") == ["traces", "traces/eu"])
        #expect(try pipelines("--exporter", "debug", "--pipeline", "traces/eu") == ["traces/eu"])
        for arguments in [["debug/x"], ["debug/c"], ["debug/b", "--pipeline", "traces/eu"]] {
            let error = #expect(throws: ValidationError.self) {
                let command = try WeirCommand.parseAsRoot(["replay", "--exporter"] + arguments)
                _ = try #require(command as? ReplayCommand).select(from: configuration)
            }
            #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
        }
    }

    private func select(_ arguments: String...) throws -> [String] {
        try #require(try WeirCommand.parseAsRoot(arguments) as? ComponentsCommand).select(from: .sample).map(\.type)
    }
}
