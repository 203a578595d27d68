import ArgumentParser
import Foundation

/// `weir burst`
struct BurstCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burst",
        abstract: "Has a running Weir keep everything for a time, within a budget, whatever its sampling rules say.",
        discussion: "Asks at service.operations of the configuration. docs/sampling.md has more.")

    /// Bytes of an answer.
    private static let maxAnswer = 1 << 20

    private static let timeout = Duration.seconds(30)

    @OptionGroup var option: ConfigurationOption

    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 1s to 24h; 30m where nothing is said."))
    var duration: String?

    @Option(
        name: .customLong("max-bytes"),
        help: ArgumentHelp("Bytes of spans that are kept beside the usual ones; 1GiB where nothing is said."))
    var maxBytes: String?

    @Option(name: .customLong("rule"), help: "A rule for whose spans it is; all where none is said.")
    var rules: [String] = []

    @Option(help: ArgumentHelp("The sampling processor; all where nothing is said.", valueName: "id"))
    var processor: String?

    @Option(help: "What for; the log and --status say it.")
    var reason: String?

    @Flag(help: "Ends what was begun.")
    var stop = false

    @Flag(help: "Says what is under way.")
    var status = false

    @Option(help: ArgumentHelp("Another URL than that of service.operations.", valueName: "url"))
    var url: String?

    @Option(
        name: .customLong("key-env"),
        help: ArgumentHelp("The environment variable that holds the key, if one is needed.", valueName: "name"))
    var keyVariable = "WEIR_API_KEY"

    func validate() throws {
        guard !stop || !status else { throw ValidationError("found --stop and --status, wanted one of them") }
        do { _ = try Bursts.Request(parsing: body.withUnsafeBytes { Payload.copying($0) }) } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        let client = try HTTPClient(tls: nil)
        let url = try place()
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json")]
        if let key = ProcessInfo.processInfo.environment[keyVariable], !key.isEmpty {
            headers.append(("Authorization", "Bearer \(key)"))
        }
        let answer: HTTPAnswer
        if status {
            answer = try await client.get(
                url.appending(OperationsRoute.burstPath), headers: headers, limit: Self.maxAnswer,
                timeout: Self.timeout)
        } else {
            let path = stop ? OperationsRoute.burstStopPath : OperationsRoute.burstPath
            answer = try await client.post(
                stop ? [] : body, to: url.appending(path), headers: headers, limit: Self.maxAnswer,
                timeout: Self.timeout)
        }
        await client.shutDown()
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else {
            StandardError.note("\(url) answered \(answer.status): \(text)")
            throw ExitCode.failure
        }
        try StandardOutput.write(text)
    }

    private func place() throws -> HTTPURL {
        if let url {
            do { return try HTTPURL(parsing: url) } catch { throw ValidationError("--url: \(error.message)") }
        }
        guard let operations = try option.read().configuration.service.operations else {
            throw ValidationError("found no service.operations in \(option.file), wanted it, or --url")
        }
        return HTTPURL(operations.listener.tls == nil ? .http : .https, operations.listener.endpoint)
    }

    /// The request.
    private var body: [UInt8] {
        var members: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { members.append("\"\(name)\":\(value.quotedAsJSON)") }
        }
        add("for", duration)
        add("max_bytes", maxBytes)
        add("processor", processor)
        add("reason", reason)
        if !rules.isEmpty { members.append("\"rules\":[\(rules.map(\.quotedAsJSON).joined(separator: ","))]") }
        return Array("{\(members.joined(separator: ","))}".utf8)
    }
}
