import Testing

@testable import Weir

@Suite struct EffectiveConfigurationTests {
    private let file = """
        receivers: { door: { http: { endpoint: "[::1]:4318", max_size: "${env:SIZE:-1MB}", read_timeout: 90s } }, door/b: { tls: { cert_file: x.pem } } }
        processors:
          paint/1:
            actions:
              - { key: price, value: "costs $$5 ${env:SIZE:-1}", action: insert }
              - { key: "true", value: "007", action: upsert }
              - { key: many, value: [a, "5", ""], action: upsert }
              - { key: half, value: 1.0, action: upsert }
              - { key: "a: # b", value: "x\\n\\ty ✓", action: upsert }
              - { key: gone, action: delete }
            share: 5
            colours: ["no", "${env:SIZE:-null}"]
        exporters: { shelf: { directory: "~", api_key: "${env:KEY}", level: low } }
        service: { pipelines: { traces: { receivers: [door, door/b], processors: [paint/1], exporters: [shelf] } } }
        """

    @Test func readsBackAsTheSameConfiguration() throws {
        let first = read(file)
        #expect(first.diagnostics.lines == [])
        let yaml = try EffectiveConfiguration(fields: first.fields).yaml()
        let second = read(yaml)
        #expect(second.diagnostics.lines == [])
        let (one, two) = (try #require(first.configuration), try #require(second.configuration))
        #expect(one.receivers.map { $0.configuration as? Door } == two.receivers.map { $0.configuration as? Door })
        #expect(one.processors.map { $0.configuration as? Paint } == two.processors.map { $0.configuration as? Paint })
        #expect(one.service.pipelines.map(\.processors) == two.service.pipelines.map(\.processors))
        #expect(try EffectiveConfiguration(fields: second.fields).yaml() == yaml)
    }

    @Test func fillsDefaultsInAndHidesSecrets() throws {
        let yaml = try EffectiveConfiguration(fields: read(file).fields).yaml()
        for line in [
            "      read_timeout: 1m30s", "      max_size: 1000000", "    - key: \"true\"", "      value: \"007\"",
            "    colours: [\"no\", \"null\"]", "    level: low", "    dry: true", "    layers: 1",
            "      endpoint: 127.0.0.1:8888",
        ] {
            #expect(yaml.contains(line + "\n"), "\(line) is not in\n\(yaml)")
        }
        #expect(yaml.contains("api_key: \"[hidden]\"\n") || yaml.contains("api_key: '[hidden]'\n"), "\(yaml)")
        #expect(!yaml.contains("swordfish"))
    }

    @Test func leavesOutWhatHasNoValue() throws {
        let yaml = try EffectiveConfiguration(fields: read("exporters: { shelf: }").fields).yaml()
        #expect(
            yaml.hasPrefix(
                "receivers: {}\nprocessors: {}\nexporters:\n  shelf:\n    directory: data\nextensions: {}\nservice:\n"),
            "\(yaml)")
    }

    @Test func whatIsPrintedOfDefaultsReadsBack() throws {
        let file = """
            receivers: { otlp: {} }
            processors:
              cost: { spikes: { above: 1.00 }, budget_webhook: { url: "https://hooks.example.com/swordfish" } }
            exporters: { langsmith: { api_key: lsv2_pt_swordfish }, sqlite: { directory: hot } }
            service:
              pipelines: { traces: { receivers: [otlp], processors: [cost], exporters: [langsmith, sqlite] } }
            """
        let first = read(file, Registry.catalogue)
        #expect(first.configuration != nil, "\(first.diagnostics.lines)")
        let yaml = try EffectiveConfiguration(fields: first.fields).yaml()
        #expect(!yaml.contains("swordfish"), "\(yaml)")
        // What is hidden is no URL.
        let lines = yaml.split(separator: "\n").filter { !($0.contains("url:") && $0.contains("[hidden]")) }
        let again = lines.joined(separator: "\n").replacing(
            "budget_webhook:", with: "budget_webhook:\n      url: https://a")
        let second = read(again, Registry.catalogue)
        #expect(second.diagnostics.lines == [])
    }

    /// Chats have a secret in their URLs.
    @Test(arguments: ["https:/hooks.example.com/swordfish", "https://hooks.example.com/sword fish", "swordfish"])
    func whatIsHiddenIsNotShownWhereItIsWrongEither(url: String) {
        let file = """
            receivers: { otlp: {} }
            processors: { cost: { budget_webhook: { url: "\(url)" } } }
            exporters: { langsmith: { runs_endpoints: '{"\(url)":"swordfish"}' } }
            service:
              pipelines: { traces: { receivers: [otlp], processors: [cost], exporters: [langsmith] } }
            """
        let lines = read(file, Registry.catalogue).diagnostics.lines
        #expect(lines.contains { $0.contains("found \(url.count) characters, wanted a URL") }, "\(lines)")
        #expect(!lines.contains { $0.contains("sword") }, "\(lines)")
    }

    private func read(_ yaml: String, _ catalogue: Catalogue = .sample) -> CheckedConfiguration {
        CheckedConfiguration(yaml, file: "collector.yaml", environment: ["KEY": "swordfish"], catalogue: catalogue)
    }
}
