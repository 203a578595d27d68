import ArgumentParser
import Foundation

/// `weir promote`
struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Stores traces after all that tail_sampling did not keep, as long as its recall has them.",
        discussion: """
            Asks a running Weir, or the next one that runs. Exits 0 if something was found, 1 if nothing was, and 2 if \
            nobody answered.
            """)

    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("A trace's id; several may be given.", valueName: "id"))
    var trace: [String] = []

    @Option(help: ArgumentHelp("Traces with a span that matches; see docs/conditions.md.", valueName: "condition"))
    var condition: String?

    @Option(help: ArgumentHelp("Of this tenant only; else of all.", valueName: "name"))
    var tenant: String?

    @Option(help: ArgumentHelp("The processor, where several have a recall.", valueName: "id"))
    var processor: String?

    @Option(help: "Seconds to wait for an answer.")
    var wait = 30

    func validate() throws {
        guard let tenant else { return }
        do { _ = try TenantName.check(tenant) } catch { throw ValidationError("--tenant: \(error.message)") }
    }

    func run() async throws {
        let requests = RecallRequests(try directory())
        var tokens: [String] = []
        for wish in try wishes() {
            let token = UUID().uuidString
            guard try requests.ask(RecallRequests.Request(token: token, wish: wish, tenant: tenant)) else {
                throw CommandFailure("too many requests wait for an answer")
            }
            tokens.append(token)
        }
        var answer = RecallRequests.Answer()
        let deadline = ContinuousClock.now + .seconds(wait)
        for token in tokens {
            while true {
                if let found = try requests.answer(to: token) {
                    answer.traces += found.traces
                    answer.spans += found.spans
                    break
                }
                guard ContinuousClock.now < deadline else {
                    try StandardOutput.write("nobody has answered; what was asked for waits for a Weir that runs\n")
                    throw ExitCode(2)
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try StandardOutput.write("\(answer.traces.of("trace")), \(answer.spans.of("span"))\n")
        guard answer.spans > 0 else { throw ExitCode.failure }
    }

    private func wishes() throws -> [RecallRequests.Wish] {
        var wishes = try trace.map { text in
            guard let trace = TraceID(text) else {
                throw ValidationError("found \(text.quotedForMessage), wanted 32 hexadecimal digits")
            }
            return RecallRequests.Wish.trace(trace)
        }
        if let condition {
            do throws(ConfigError) {
                _ = try Condition(parsing: condition)
            } catch {
                throw ValidationError(error.message)
            }
            wishes.append(.condition(condition.split(whereSeparator: \.isNewline).joined(separator: " ")))
        }
        guard !wishes.isEmpty else { throw ValidationError("wanted --trace or --condition") }
        return wishes
    }

    private func directory() throws -> String {
        let recalls = try option.readToWrite().processors.compactMap { definition in
            (definition.configuration as? TailSamplingConfiguration)?.recall.map { (definition.id, $0.directory) }
        }
        let chosen = recalls.filter { processor == nil || processor == "\($0.0)" }
        guard chosen.count == 1, let only = chosen.first else {
            let names = recalls.map { "\($0.0)" }.joined(separator: ", ")
            throw CommandFailure(
                recalls.isEmpty
                    ? "found no tail_sampling with recall in the configuration" : "wanted --processor, one of \(names)")
        }
        return only.1
    }
}
