import Foundation
import Testing

@testable import Weir

@Suite struct PipelineFilesTests {
    private let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
    }

    private func main(_ further: String = "") -> String {
        """
        receivers: { door: }
        processors: { paint: { dry: false } }
        exporters: { shelf: { directory: shared } }
        service:
          pipelines_directory: \(temporary.path)
          pipelines: { traces: { receivers: [door], processors: [paint], exporters: [shelf] } }
        \(further)
        """
    }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(temporary.path)/\(name)", atomically: true, encoding: .utf8)
    }

    private func check(_ main: String? = nil) -> CheckedConfiguration {
        CheckedConfiguration(
            main ?? self.main(), file: "collector.yaml", environment: ["DIRECTORY": "own"], catalogue: .sample)
    }

    private let shop = """
        owner: shop@example.com
        overrides: [paint]
        processors: { paint: { dry: true }, paint/b: }
        exporters: { shelf/own: { directory: "${env:DIRECTORY}" } }
        pipelines:
          traces: { receivers: [door], processors: [paint, paint/b], exporters: [shelf, shelf/own] }
          traces/b: { receivers: [door], exporters: [shelf/own], tenants: [bank] }
        """

    @Test func namesAreLocalAndWhatIsSharedIsNot() throws {
        try write("shop.yaml", shop)
        try write("other.yml", shop.replacing("shop@", with: "other@"))
        try write(".hidden.yaml", "nonsense")
        try write("notes.txt", "nonsense")
        let checked = check()
        #expect(checked.diagnostics.lines == [])
        let configuration = try #require(checked.configuration)
        #expect(
            configuration.service.pipelines.map(\.id.description) == [
                "traces", "traces/@other", "traces/b@other", "traces/@shop", "traces/b@shop",
            ])
        let pipeline = configuration.service.pipelines[3]
        #expect(pipeline.processors.map(\.description) == ["paint/@shop", "paint/b@shop"])
        #expect(pipeline.exporters.map(\.description) == ["shelf", "shelf/own@shop"])
        #expect(configuration.service.pipelines[4].tenants == ["bank"])
        let paint = configuration.processors.first { $0.id.description == "paint/@shop" }?.configuration as? Paint
        #expect(paint?.isDry == true)
        let shelf = configuration.exporters.first { $0.id.description == "shelf/own@shop" }?.configuration as? Shelf
        #expect(shelf?.directory == "own")
        #expect(configuration.files.files.map(\.owner) == ["other@example.com", "shop@example.com"])
    }

    @Test func nothingIsOverriddenByAccident() throws {
        try write("shop.yaml", shop.replacing("overrides: [paint]", with: "overrides: []"))
        let path = "\(temporary.path)/shop.yaml"
        #expect(
            check().diagnostics.lines == [
                "\(path):3: processors.paint: is defined in collector.yaml too, wanted another name, or paint among "
                    + "overrides"
            ])
    }

    @Test func whatIsWrongIsSaidWithFileAndLine() throws {
        try write("a b.yaml", shop)
        try write("one.yaml", "pipelines: { traces: { receivers: [door], exporters: [shelf/own] } }")
        try write("two.yaml", "owner: x\n: y")
        try write("zoo.yaml", shop)
        let checked = check(main("unknown: 1"))
        let lines = checked.diagnostics.lines.map { $0.replacing("\(temporary.path)/", with: "") }
        #expect(lines.first?.hasPrefix("collector.yaml:7: unknown: is not a known key") == true, "\(lines)")
        #expect(
            lines.dropFirst().prefix(3) == [
                "a b.yaml:1: found the file name \"a b\", wanted 1...64 letters, digits, _ and -",
                "one.yaml:1: owner: is missing, wanted a string",
                "one.yaml:1: pipelines.traces.exporters[0]: found \"shelf/own\", which exporters does not define, "
                    + "wanted one of shelf",
            ])
        #expect(lines.last?.hasPrefix("two.yaml:2: ") == true)
        #expect(checked.configuration == nil && checked.partial == nil, "collector.yaml is in error too")
    }

    @Test func aWrongFileLeavesTheOthersAndKeepsWhatItSaid() throws {
        try write("shop.yaml", shop)
        let before = try #require(check().configuration)
        try write("shop.yaml", shop.replacing("dry: true", with: "dry: perhaps"))
        try write("new.yaml", shop)
        let checked = check()
        #expect(checked.configuration == nil)
        let partial = try #require(checked.partial)
        #expect(partial.files.broken == ["shop"])
        #expect(!partial.service.pipelines.contains { $0.id.file == "shop" })
        let kept = partial.keeping(before)
        #expect(
            kept.service.pipelines.map(\.id.description) == [
                "traces", "traces/@new", "traces/b@new", "traces/@shop", "traces/b@shop",
            ])
        #expect(kept.processors.contains { $0.id.description == "paint/@shop" })
    }

    @Test func aWrongFileSaysWhoseSpansNobodyTakes() throws {
        func missing(_ text: String) throws -> [String] {
            try write("shop.yaml", text)
            let checked = check()
            #expect(checked.configuration == nil)
            let left = try #require(checked.startable)
            #expect(left.service.pipelines.map(\.id.description) == ["traces"])
            #expect(left.missing.allSatisfy { $0.file == "shop" })
            return left.missing.map { "\($0.receivers?.map(\.description) ?? ["any"]): \($0)" }
        }
        let wrong = shop.replacing("dry: true", with: "dry: perhaps")
        #expect(try missing(wrong) == [#"["door"]: all"#, #"["door"]: bank"#])
        #expect(try missing(wrong.replacing("[bank]", with: "[a, b]")).last == #"["door"]: a,b"#)
        let others = "all that no other pipeline names"
        // What is in doubt may be anybody's, from anywhere.
        for (found, written, said) in [
            ("tenants: [bank]", "tenant: [bank]", others), ("tenants: [bank]", "tenants: bank", others),
            ("tenants: [bank]", "tenants: [bank, []]", "bank,\(others)"),
            ("tenants: [bank]", "tenants: [bank, \"\", ../x]", "bank,\(others)"),
            ("[door], exporters: [shelf/own], t", "[dor], exporters: [shelf/own], t", "bank,\(others)"),
        ] {
            #expect(try missing(shop.replacing(found, with: written)).last == #"["any"]: "# + said, "\(written)")
        }
        #expect(try missing("owner: x\n: y") == [#"["any"]: "# + others])
        #expect(try missing("owner: x\npipelines: 5") == [#"["any"]: "# + others])
        let unset = shop.replacing("[bank]", with: "[\"${env:GONE}\"]")
        #expect(try missing(unset).last == #"["any"]: "# + others)
        try FileManager.default.removeItem(atPath: "\(temporary.path)/shop.yaml")
        #expect(check().configuration?.missing == [])
    }

    @Test func twoFilesOfOneNameAreBothMissing() throws {
        try write("shop.yaml", shop)
        try write("shop.yml", "owner: x\n: y")
        let missing = try #require(check().startable).missing
        #expect(missing.map(\.description) == ["all", "bank", "all that no other pipeline names"])
    }

    @Test func whereNoPipelineIsLeftNothingStarts() throws {
        try write("shop.yaml", shop.replacing("dry: true", with: "dry: perhaps"))
        let main = main().split(separator: "\n").filter { !$0.contains("pipelines: {") }.joined(separator: "\n")
        #expect(check(main).partial != nil)
        #expect(check(main).startable == nil)
    }

    @Test func whatIsMissingStaysMissingAndWhatIsNewChangesNothing() throws {
        let wrong = shop.replacing("dry: true", with: "dry: perhaps")
        try write("shop.yaml", wrong)
        let before = try #require(check().startable)
        try write("shop.yaml", "owner: x\n: y")
        try write("new.yaml", wrong)
        let kept = try #require(check().partial).keeping(before)
        #expect(kept.missing == before.missing)
        try write("shop.yaml", shop)
        #expect(check().partial?.keeping(before).missing == [])
    }

    @Test func whoseSpansAMissingPipelineWouldTake() {
        func takes(_ tenants: MissingPipeline.Tenants) -> [String] {
            let missing = MissingPipeline(file: "f", receivers: nil, tenants: tenants)
            return ["default", "bank", "shop"].filter { missing.takes($0, besides: ["bank"]) }
        }
        #expect(takes(.everybody) == ["default", "bank", "shop"])
        #expect(takes(.named(["bank"])) == ["bank"])
        #expect(takes(.uncertain([])) == ["default", "shop"])
        #expect(takes(.uncertain(["bank"])) == ["default", "bank", "shop"])
    }

    @Test func aDirectoryThatIsNotThereIsAnError() {
        let yaml = main().replacing(temporary.path, with: "/nowhere")
        #expect(
            check(yaml).diagnostics.lines == [
                "collector.yaml:5: service.pipelines_directory: /nowhere is not there, wanted a directory of pipelines"
            ])
    }

    @Test func aDirectoryWithoutFilesLeavesNothingToStart() throws {
        try write("notes.txt", "nonsense")
        #expect(check().diagnostics.lines == [])
        let checked = check(main().replacing(#/pipelines: \{.*/#, with: ""))
        #expect(checked.startable == nil)
        #expect(
            checked.diagnostics.lines(of: .error) == [
                "collector.yaml:5: service.pipelines_directory: found no file that ends in .yaml in \(temporary.path) "
                    + "and no pipeline beside it, wanted a pipeline"
            ])
    }

    @Test func drawsWhichWaySpansTake() throws {
        try write("shop.yaml", shop)
        let graph = PipelineGraph(configuration: try #require(check().configuration))
        #expect(
            graph.text == """
                traces
                  door -> paint -> [journal] -> shelf
                traces/@shop, shop@example.com
                  door -> paint/@shop -> paint/b@shop -> [journal] -> shelf + shelf/own@shop
                traces/b@shop, shop@example.com, only bank
                  door -> [journal] -> shelf/own@shop

                """)
        let mermaid = graph.mermaid
        #expect(mermaid.hasPrefix("flowchart LR\n  r0([\"door\"])\n  subgraph p0[\"traces\"]\n"))
        #expect(mermaid.contains("    p1s0 --> p1s1\n") && mermaid.contains("  r0 --> p2s0\n"))
        #expect(mermaid.contains("  subgraph p2[\"traces/b@shop: shop@example.com, only bank\"]\n"))
    }
}
