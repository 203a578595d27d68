import Testing

@testable import Weir

struct ModelNameTests {
    @Test(
        arguments: [
            ("openai", "gpt-4o", "openai/gpt-4o"), (nil, "GPT-4o ", "openai/gpt-4o"),
            ("openai.chat", "gpt-4o-2024-08-06", "openai/gpt-4o"),
            ("openai", "ft:gpt-4o-2024-08-06:acme::BxYz", "openai/ft:gpt-4o-2024-08-06"),
            ("az.ai.openai", "gpt-4o", "azure/gpt-4o"), (nil, "azure/eu/gpt-4o", "azure/gpt-4o"),
            ("anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
            (
                "aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
            ),
            (
                "aws.bedrock",
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
            ),
            ("gcp.gemini", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
            (nil, "openrouter/openai/gpt-4o", "openai/gpt-4o"),
            (nil, "litellm_proxy/gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
            ("vertex_ai", "publishers/google/models/gemini-2.5-pro", "vertex/gemini-2.5-pro"),
            ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"), (nil, "whisper-1", "openai/whisper-1"),
        ] as [(String?, String, String)])
    func aNameFindsItsPrice(provider: String?, model: String, price: String) throws {
        let name = ModelName(provider: provider, model: model)
        let match = try PriceVectorTests.table().match(name, tenant: "t", at: Timestamp(nanoseconds: 1))
        #expect(match?.price.id == price, "\(name.candidates)")
    }

    @Test(
        arguments: [
            ("openai", "gpt-4o-mini-turbo"), ("openai", "gpt-4o-x"), ("openai", "ft:gpt-99:acme::1"), ("openai", ""),
            ("openai", "my-deployment"), (nil, "openrouter/openai/gpt-4o:free"), ("openai", "/"), (nil, "a/b/c/d/e"),
            ("anthropic", "gpt-4o"), ("openai", "xgpt-4o"),
            // Who serves models of others has prices of its own.
            ("ollama", "mistral-small-latest"), ("together", "gpt-4o"), ("togetherai.chat", "gpt-4o"),
            ("together_ai", "openai/gpt-4o"), (nil, "ollama/mistral-small-latest"), ("Fireworks", "openai/gpt-4o"),
            ("ibm.watsonx.ai", "mistral-small-latest"), ("hosted_vllm", "gpt-4o"),
        ] as [(String?, String)])
    func nothingIsPricedAsSomethingSimilar(provider: String?, model: String) throws {
        let name = ModelName(provider: provider, model: model)
        #expect(try PriceVectorTests.table().match(name, tenant: "t", at: Timestamp(nanoseconds: 1)) == nil)
    }

    /// Each word in front of a name makes it one that is looked for.
    @Test func wordsInFrontOfANameAreBounded() {
        let name = ModelName(provider: nil, model: String(repeating: "us/eu/", count: 42) + "gpt-4o")
        #expect(name.candidates.count <= 9)
        #expect(ModelName(provider: nil, model: "us/eu/us/eu/us/eu/us/eu/gpt-4o").candidates.last?.model == "gpt-4o")
    }
}
