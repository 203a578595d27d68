import Testing

@testable import Weir

struct ContentKeysTests {
    private func isContent(_ key: String) -> Bool { Array(key.utf8).withUnsafeBytes { ContentKeys.has($0) } }

    /// What Weir itself reads as a prompt or an answer has to be one for redaction and encryption.
    @Test(arguments: GenAIAttribute.contents.flatMap(\.keys))
    func whatIsReadAsContentIsContent(key: String) {
        #expect(isContent(key))
    }

    @Test(arguments: [
        "lk.function_tool.output", "lk.pii.name", "gcp.vertex.agent.llm_request", "lmnr.span.input",
        "haystack.component.output", "db.query.result.document", "ai.settings.context.user", "completion",
        "llm.request.functions.0.description", "llm.request.functions.0.parameters", "gen_ai.content.prompt",
    ])
    func contentOfOtherVocabulariesIsContent(key: String) {
        #expect(isContent(key))
    }

    @Test(arguments: [
        "gen_ai.request.model", "gen_ai.usage.input_tokens", "llm.request.functions.0.name", "lk.function_tool.name",
        "haystack.component.name", "ai.settings.temperature", "gen_ai.tool.name", "exception.message", "prompt.id",
    ])
    func whatSaysNothingOfWhatWasSaidIsNot(key: String) {
        #expect(!isContent(key))
    }

    /// SDKs write the text of an exception into the status and into an event.
    @Test func theMessageOfAStatusIsEncryptedWhereverItStands() {
        let keys = [
            "exception.message", "exception.stacktrace", "error.message", "langfuse.observation.status_message",
        ]
        var policy = EncryptionPolicy()
        policy.content = true
        for key in keys { #expect(!policy.wants(key)) }
        policy.statusMessage = true
        for key in keys { #expect(policy.wants(key)) }
        #expect(!policy.wants("exception.type") && !policy.wants("error.type"))
    }
}
