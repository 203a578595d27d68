/// The keys of `langsmith`. `docs/langsmith.md` explains them.
struct LangSmithConfiguration: Configurable {
    enum Compressing: String, CaseIterable, Sendable {
        /// zstd where the server says that it takes it, else gzip.
        case auto
        case none, gzip, zstd
    }

    /// Of tenants that have none of their own.
    private(set) var target: LangSmithTarget
    /// Further ones, each of which gets everything from an exporter of its own.
    private var others: [LangSmithTarget] = []
    /// By tenant.
    private let tenants: [String: LangSmithTarget]
    let rules: RunRules
    /// An attribute of spans or resources that names the project; nil for none beside LangSmith's own.
    let projectKey: AttributeKey?
    let compressing: Compressing
    /// How long a span waits for those above it.
    let traceGrace: Duration
    let maxHeldBytes: Int
    let memory: TraceIndex.Limits
    /// Where the places of runs are remembered.
    let directory: String
    let requestTimeout: Duration
    let requestsPerMinute: Int
    let connections: Int
    let tls: ClientTLS?

    var traits: ProcessorTraits { .showsContent }

    init(_ fields: inout Fields) throws(ConfigError) {
        let standIn = HTTPURL(.https, Endpoint(host: "api.smith.langchain.com", port: 443))
        let several = fields.string(
            "runs_endpoints", default: "", secret: true,
            "Several destinations in place of endpoint and api_key, as LANGSMITH_RUNS_ENDPOINTS has them.")
        let target = Self.target(&fields, beside: nil, standIn, needsKey: several.isEmpty)
        self.target = target
        do throws(ConfigError) {
            let list = try LangSmithTarget.list(several, project: target.project)
            self.target = list.first { !$0.isReplica } ?? target
            others = list.filter(\.isReplica)
        } catch {
            fields.reject("runs_endpoints", error.message)
        }
        let named = fields.named(
            "tenants", count: 0...10_000, "By tenant, what differs: endpoint, api_key, workspace, project."
        ) { name, fields in
            (name, Self.target(&fields, beside: target, standIn, needsKey: !target.key.isEmpty))
        }
        tenants = Dictionary(named) { first, _ in first }
        let hidesInputs = fields.bool("hide_inputs", default: false, "Whether what went into calls is left out.")
        let hidesOutputs = fields.bool("hide_outputs", default: false, "Whether what came out of calls is left out.")
        let projectKey = fields.optionalString(
            "project_attribute", "An attribute of spans or resources that names the project of its trace's runs.")
        self.projectKey = projectKey.map(AttributeKey.init)
        rules = RunRules(hidesInputs: hidesInputs, hidesOutputs: hidesOutputs, project: target.project)
        compressing = fields.choice(
            "compression", default: .auto, "How requests are compressed; auto is zstd where the server offers it.")
        traceGrace = fields.duration(
            "trace_grace", default: .seconds(10), in: .zero ... .seconds(600),
            "How long a span waits for those above it in its trace.")
        maxHeldBytes =
            fields.bytes(
                "max_held_bytes", default: .mebibytes(64), in: .mebibytes(1)...(.gibibytes(4)),
                "Spans that wait at most; the oldest go on when there are more."
            ).bytes
        memory = fields.section("memory", "What is remembered of traces that were sent, for spans that come late.") {
            TraceIndex.Limits(
                spans: $0.int("max_spans", default: 262_144, in: 1_024...16_777_216, "Spans that are remembered."),
                halfLife: $0.duration(
                    "max_age", default: .seconds(7_200), in: .seconds(60)...(.seconds(604_800)),
                    "How long a trace is remembered that no span comes for.") / 2)
        }
        directory = fields.string(
            "directory", default: "data/langsmith", "Where that is kept for the next start; created where missing.")
        requestTimeout = fields.duration(
            "request_timeout", default: .seconds(30), in: .milliseconds(100)...(.seconds(3_600)),
            "What one request may take.")
        requestsPerMinute = fields.int(
            "requests_per_minute", default: 5_000, in: 10...1_000_000,
            "Requests of one key, at most, of all exporters together.")
        connections = fields.int("connections", default: 4, in: 1...64, "Requests at once with one key.")
        tls = fields.optionalSection("tls", "For https: whom to believe, and who to be.", ClientTLS.init)
    }

    var namedTenants: Set<String> { Set(tenants.keys) }

    /// Nil where nothing of the tenant goes: who has a destination of their own has no other.
    func target(of tenant: String) -> LangSmithTarget? {
        guard let own = tenants[tenant] else { return target }
        return target.isReplica ? nil : own
    }

    /// Whether some tenants' spans go where others' do not.
    var hasSeveralAccounts: Bool { !target.isReplica && tenants.values.contains { $0.account != target.account } }

    var replicas: [(name: String, configuration: any Configurable)] {
        zip(LangSmithTarget.names(of: others), others).map { name, other in
            var replica = self
            (replica.target, replica.others) = (other, [])
            return (name, replica)
        }
    }

    func rules(for target: LangSmithTarget) -> RunRules {
        RunRules(hidesInputs: rules.hidesInputs, hidesOutputs: rules.hidesOutputs, project: target.project)
    }

    func compression(_ info: LangSmithInfo) -> Compression {
        switch compressing {
        case .none: .none
        case .auto, .zstd: info.takesZstd ? .zstd : info.takesGzip ? .gzip : .none
        case .gzip: info.takesGzip ? .gzip : .none
        }
    }

    private static func target(
        _ fields: inout Fields, beside other: LangSmithTarget?, _ standIn: HTTPURL, needsKey: Bool
    ) -> LangSmithTarget {
        let usual = other?.url ?? standIn
        let url = fields.parsed(
            "endpoint", default: usual, type: "URL",
            "The base URL of the API, to which /runs/multipart is added; an empty text is the default."
        ) { text throws(ConfigError) in
            // LangSmith's clients take the variable without spaces and quotes around it.
            let text = text.drop { " \t\"'".contains($0) }.reversed().drop { " \t\"'".contains($0) }.reversed()
            return text.isEmpty ? usual : try HTTPURL(parsing: String(text))
        }
        let key = fields.string(
            "api_key", default: needsKey ? other?.key : other?.key ?? "", secret: true,
            "The key, lsv2_pt_… or lsv2_sk_….")
        if !key.isEmpty, !LangSmithTarget.isKey(key) {
            fields.reject("api_key", "found a character that is not printable ASCII, wanted none")
        }
        let workspace = fields.parsed(
            "workspace", default: other?.workspace ?? "", type: "UUID",
            "The workspace, which a key of an organisation needs.", LangSmithTarget.workspace)
        let project = fields.string(
            "project", default: other?.project ?? "default",
            "The project of traces whose spans name none; an empty text is the default.")
        return LangSmithTarget(
            url: url, key: key, workspace: workspace,
            project: project.allSatisfy(\.isWhitespace) ? other?.project ?? "default" : project)
    }
}
