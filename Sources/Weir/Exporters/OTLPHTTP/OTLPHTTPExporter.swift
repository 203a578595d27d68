import Logging

/// Sends spans on over OTLP/HTTP, at least once. `docs/otlp_http.md` says what each answer of the destination leads to.
struct OTLPHTTPExporter: Exporter {
    static let type = "otlp_http"
    /// Its name in the OpenTelemetry Collector up to 0.140.
    static let alias: String? = "otlphttp"
    static let help = "Sends spans on over OTLP/HTTP."
    static let deliveryDefaults = DeliveryDefaults(consumers: 4)

    /// Bytes of an answer that are read; as much as OTLP recommends for the largest one.
    static let maxAnswer = 4 << 20

    private let configuration: OTLPHTTPExporterConfiguration
    private let headers: [(name: String, value: String)]
    private let client: HTTPClient
    private let hidesAnswers: Bool
    private let logger: Logger
    private let rejectedSpans: Counter

    init(_ configuration: OTLPHTTPExporterConfiguration, _ context: Context) throws {
        self.configuration = configuration
        logger = context.logger
        client = try HTTPClient(tls: configuration.tls)
        hidesAnswers = context.hidesAnswers
        rejectedSpans = context.metrics.counter(
            "weir_exporter_rejected_spans",
            help: "Spans of accepted requests that the destination did not keep, as its partial_success says.",
            labels: ["exporter": "\(context.id)"])
        var headers = configuration.headers
        if !headers.contains(where: { $0.name.lowercased() == "user-agent" }) { headers.append(("User-Agent", "weir")) }
        headers.append(("Content-Type", configuration.encoding.contentType))
        if configuration.compression != .none {
            headers.append(("Content-Encoding", configuration.compression.rawValue))
        }
        self.headers = headers
        logger.info(
            "sending on",
            metadata: [
                "url": "\(configuration.url)", "encoding": "\(configuration.encoding.rawValue)",
                "compression": "\(configuration.compression.rawValue)",
            ])
    }

    /// Sends all records of the batch in one request.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        // Of records that sampling left without a span there is nothing to send on.
        guard batch.spanCount > 0 else { return }
        let body = try body(of: batch)
        let answer: HTTPAnswer
        do {
            answer = try await client.post(body, to: configuration.url, headers: headers, limit: Self.maxAnswer)
        } catch {
            throw .retryable(error.description, after: nil)
        }
        guard (200...299).contains(answer.status), !answer.isPage else { throw refusal(answer) }
        note(answer, spans: batch.spanCount)
    }

    func finish() async {
        await client.shutDown()
    }
}

// MARK: - The request

extension OTLPHTTPExporter {
    private func body(of batch: FrozenBatch) throws(ExportError) -> [UInt8] {
        var body: [UInt8] = []
        do {
            var compressor = try Compressor(configuration.compression)
            switch configuration.encoding {
            case .proto:
                // protobuf.dev, "Encoding": messages one behind the other are the message with the fields of all.
                for record in batch.records {
                    try compressor.write(record.payload.bytes) { body.append(contentsOf: $0) }
                }
            case .json:
                var json = OTLPJSONEncoder()
                var decoded = Batch(decodedLimit: .max)
                json.begin()
                try batch.forEach(into: &decoded) { batch, _ in json.add(batch) }
                try compressor.write(json.finish()) { body.append(contentsOf: $0) }
            }
            try compressor.finish { body.append(contentsOf: $0) }
        } catch let error as DecodeError {
            throw .rejected("a record cannot be decoded: \(error)")
        } catch {
            throw .retryable("\(error)", after: nil)
        }
        return body
    }
}

// MARK: - The answer

extension OTLPHTTPExporter {
    /// "The client MUST NOT retry the request when it receives a partial success response."
    private func note(_ answer: HTTPAnswer, spans: Int) {
        let said = OTLPAnswer(answer, isSuccess: true)
        let rejected = min(max(said.rejectedSpans, 0), spans)
        rejectedSpans.add(rejected)
        let reason = Logger.Metadata.Value("\(text(of: said, answer))")
        if rejected > 0 {
            logger.warning("the destination rejected spans", metadata: ["spans": "\(rejected)", "reason": reason])
        } else if !said.message.isEmpty {
            logger.warning("the destination took all spans and warns", metadata: ["reason": reason])
        }
    }

    private func refusal(_ answer: HTTPAnswer) -> ExportError {
        let message = text(of: OTLPAnswer(answer, isSuccess: false), answer)
        let reason = "the destination answered \(answer.status)" + (message.isEmpty ? "" : ": \(message)")
        switch answer.status {
        case 200...299:
            return .retryable(
                "\(reason) with a page for people; spans wait until endpoint is the URL of an OTLP receiver",
                after: nil)
        // Nothing is given up because a key has expired or a URL is mistyped.
        case 401, 403, 407:
            return .retryable("\(reason); spans wait until it takes the credentials in headers", after: nil)
        case 300...399, 404, 405:
            return .retryable("\(reason); spans wait until endpoint is the URL of an OTLP receiver", after: nil)
        case 415:
            return .retryable("\(reason); spans wait until it takes this encoding and compression", after: nil)
        case 408, 429, 500...:
            let pause = answer.retryAfter.flatMap { Duration(retryAfter: $0, at: .now()) }
            return .retryable(reason, after: pause)
        case 400, 413, 422:
            return .rejected(reason)
        // Nor because a plan has run out (402) or something on the way does not like the request: that would empty the
        // journal into the dead letters.
        default:
            return .retryable("\(reason); spans wait until it takes them", after: nil)
        }
    }

    /// What it says, as far as that may be written down.
    private func text(of said: OTLPAnswer, _ answer: HTTPAnswer) -> String {
        hidesAnswers ? answer.bodySize : withoutSecrets(said.message)
    }

    /// Some servers repeat the key that they do not accept.
    private func withoutSecrets(_ message: String) -> String {
        configuration.headers.flatMap { $0.value.split(separator: " ") }.filter { $0.count >= 8 }.reduce(message) {
            $0.replacing($1, with: EffectiveConfiguration.hidden)
        }
    }
}
