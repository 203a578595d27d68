/// The names under which a price list may know what a span calls its model, in the order in which they are tried.
///
/// Nothing but dates, regions, versions and the words of gateways is ever taken off: `gpt-4o-mini` is not `gpt-4o`, and
/// a fine-tuned model is not its base.
struct ModelName: Sendable, Equatable {
    struct Candidate: Sendable, Equatable {
        /// Nil: whoever has it.
        var provider: String?
        var model: String
        /// Of a cross-region profile.
        var region: String?
    }

    let candidates: [Candidate]

    /// Words of gateways, clouds and regions in front of a name, `openrouter/azure/eu/gpt-4o`: whoever writes more does
    /// not mean a model.
    private static let maximumWords = 8

    /// What instrumentations, gateways and clouds call the providers of the list.
    private static let providers: [String: String] = [
        "openai": "openai", "azure": "azure", "azure_openai": "azure", "azure.ai.openai": "azure",
        "azure.ai.inference": "azure", "az.ai.openai": "azure", "az.ai.inference": "azure", "anthropic": "anthropic",
        "aws": "bedrock", "bedrock": "bedrock", "aws.bedrock": "bedrock", "aws_bedrock": "bedrock",
        "amazon-bedrock": "bedrock", "vertex": "vertex", "vertex_ai": "vertex", "vertexai": "vertex",
        "gcp.vertex_ai": "vertex", "google-vertex": "vertex", "google": "google", "gemini": "google",
        "gcp.gemini": "google", "gcp.gen_ai": "google", "google.generative-ai": "google", "google_genai": "google",
        "mistral": "mistral", "mistralai": "mistral", "mistral_ai": "mistral", "cohere": "cohere", "xai": "xai",
        "x_ai": "xai", "x-ai": "xai", "deepseek": "deepseek", "groq": "groq", "perplexity": "perplexity",
        "elevenlabs": "elevenlabs", "assemblyai": "assemblyai", "deepgram": "deepgram",
    ]

    /// Those who serve models that others have made, at prices of their own: only rows of their own are for them.
    private static let hosts: [String: String] = {
        let spellings = [
            "ollama", "vllm hosted_vllm", "together together_ai togetherai together.ai",
            "fireworks fireworks_ai fireworksai",
            "huggingface hugging_face hf", "lmstudio lm_studio lm-studio", "llamacpp llama.cpp llama_cpp llamafile",
            "localai", "replicate", "anyscale", "deepinfra", "cerebras", "sambanova", "nvidia nvidia_nim nim",
            "watsonx ibm.watsonx.ai ibm", "baseten", "modal", "novita", "hyperbolic", "lambda lambda_ai", "nebius",
            "siliconflow", "sagemaker aws.sagemaker aws_sagemaker sagemaker_chat", "databricks", "snowflake",
            "cloudflare workers-ai", "triton", "tgi text-generation-inference", "sglang", "xinference", "github",
            "github_copilot", "runpod runpodml", "friendliai", "featherless featherless_ai", "predibase", "scaleway",
            "ovhcloud", "gpt4all", "mlx",
        ]
        var hosts: [String: String] = [:]
        for words in spellings.map({ $0.split(separator: " ").map(String.init) }) {
            for word in words { hosts[word] = words[0] }
        }
        return hosts
    }()

    private static let regions: Set<String> = [
        "global", "us", "eu", "apac", "jp", "au", "in", "ca", "us-gov",
    ]

    /// - Parameters:
    ///   - provider: as the span has it; nil or unknown where it says nothing of use.
    ///   - model: as the span has it.
    init(provider: String?, model: String) {
        let known = provider.flatMap { Self.provider($0.lowercased()) }
        var candidate = Candidate(provider: known, model: Self.bare(model))
        var found = Self.spellings(of: candidate)
        for _ in 0..<Self.maximumWords {
            guard let inner = Self.unwrapped(candidate) else { break }
            candidate = inner
            found += Self.spellings(of: candidate)
        }
        // Vertex serves Google's own models under Google's names.
        if candidate.provider == "vertex" {
            found += Self.spellings(of: Candidate(provider: "google", model: candidate.model))
        }
        var unique: [Candidate] = []
        for candidate in found where !unique.contains(candidate) { unique.append(candidate) }
        candidates = unique
    }

    /// What lists call who is called so, in lower case; nil where nobody is.
    static func provider(_ word: String) -> String? {
        if let known = providers[word] ?? hosts[word] { return known }
        // The Vercel AI SDK writes `openai.chat`.
        let first = word.split(separator: ".").first.map(String.init) ?? ""
        return providers[first] ?? hosts[first]
    }

    /// Without blanks, capitals and the paths of Google's and Fireworks' resources.
    private static func bare(_ model: String) -> String {
        let name = model.lowercased().filter { !$0.isWhitespace }
        if name.hasPrefix("arn:"), let last = name.split(separator: "/").last { return String(last) }
        if name.hasPrefix("models/") { return String(name.dropFirst(7)) }
        if name.hasPrefix("publishers/") || name.hasPrefix("accounts/") || name.hasPrefix("projects/"),
            let range = name.firstRange(of: "/models/")
        {
            return String(name[range.upperBound...])
        }
        return name
    }

    /// `azure/eu/gpt-4o` without the first of its words.
    private static func unwrapped(_ candidate: Candidate) -> Candidate? {
        guard let slash = candidate.model.firstIndex(of: "/") else { return nil }
        let word = String(candidate.model[..<slash])
        let rest = String(candidate.model[candidate.model.index(after: slash)...])
        guard !rest.isEmpty else { return nil }
        // `openai/gpt-oss-120b` of a host is still the host's.
        if let host = candidate.provider, hosts[host] != nil { return Candidate(provider: host, model: rest) }
        if let provider = providers[word] ?? hosts[word] {
            return Candidate(provider: provider, model: rest, region: candidate.region)
        }
        switch word {
        case "openrouter", "litellm_proxy": return Candidate(provider: nil, model: rest, region: nil)
        case "converse", "invoke", "chat", "responses":
            return Candidate(provider: candidate.provider, model: rest, region: candidate.region)
        default:
            guard regions.contains(word) else { return nil }
            return Candidate(provider: candidate.provider, model: rest, region: word)
        }
    }

    /// The name; without the prefix of a region; without a version; without a date.
    private static func spellings(of candidate: Candidate) -> [Candidate] {
        var found = [candidate]
        var current = candidate
        if candidate.provider == "bedrock" || candidate.provider == nil,
            let dot = candidate.model.firstIndex(of: "."), regions.contains(String(candidate.model[..<dot]))
        {
            current.region = String(candidate.model[..<dot])
            current.model = String(candidate.model[candidate.model.index(after: dot)...])
            found.append(current)
        }
        for ending in [":beta", ":nitro", ":thinking"] where current.model.hasSuffix(ending) {
            current.model = String(current.model.dropLast(ending.count))
            found.append(current)
        }
        if current.model.hasPrefix("ft:") {
            // `ft:gpt-4o-2024-08-06:acme::id` is priced as `ft:gpt-4o-2024-08-06`, never as the model without `ft:`.
            guard let base = current.model.dropFirst(3).split(separator: ":").first else { return found }
            current.model = "ft:\(base)"
            found.append(current)
            if let undated = withoutDate(current.model) {
                current.model = undated
                found.append(current)
            }
            return found
        }
        if let unversioned = withoutVersion(current.model) {
            current.model = unversioned
            found.append(current)
        }
        if let undated = withoutDate(current.model) {
            current.model = undated
            found.append(current)
        }
        return found
    }

    /// `…-v1:0`
    private static func withoutVersion(_ name: String) -> String? {
        guard let range = name.ranges(of: "-v").last else { return nil }
        let version = name[range.upperBound...]
        let isVersion = version.first?.isNumber == true && version.allSatisfy { $0.isNumber || $0 == ":" }
        return isVersion ? String(name[..<range.lowerBound]) : nil
    }

    /// `-2024-08-06`, `-20240806`, `@20240806`, `@default`, `-latest`, `-preview-05-20`, and Vertex' `-001`.
    private static func withoutDate(_ name: String) -> String? {
        for ending in ["@default", "-latest"] where name.hasSuffix(ending) {
            return String(name.dropLast(ending.count))
        }
        for shape in ["-####-##-##", "-########", "@########", "-preview-##-##", "-###"] {
            let tail = name.suffix(shape.count)
            guard tail.count == shape.count, name.count > shape.count else { continue }
            let fits = zip(tail, shape).allSatisfy { $1 == "#" ? $0.isASCII && $0.isNumber : $0 == $1 }
            if fits { return String(name.dropLast(shape.count)) }
        }
        return nil
    }
}
