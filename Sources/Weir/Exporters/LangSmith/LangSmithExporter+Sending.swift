/// One request after the other.
extension LangSmithExporter {
    enum Outcome {
        case taken
        /// The destination has all of it, which is a surprise where this was not sent before.
        case known(isSurprise: Bool)
        /// The destination has some of it, or all.
        case mixed
        case tooLarge
        /// From now on requests go elsewhere.
        case otherEndpoint
    }

    /// Bytes of an answer that are read.
    private static let maxAnswer = 64 << 10
    private static let maxUnsure = 65_536
    private static let infoTimeout = Duration.seconds(5)

    /// What the destination says of itself, not older than an hour; what clients assume where it says nothing. Only the
    /// first answer is waited for.
    func info(of target: LangSmithTarget) async -> LangSmithInfo {
        let now = ContinuousClock.now
        var server =
            servers[target.account]
            ?? LangSmithServer(bucket: TokenBucket(perMinute: configuration.requestsPerMinute, at: now))
        if server.askAgainAt.map({ $0 <= now }) ?? true {
            // Nobody else asks meanwhile.
            server.askAgainAt = now + LangSmithServer.retryInterval
            let question = Task { await ask(target, at: now) }
            server.firstQuestion = server.firstQuestion ?? question
            servers[target.account] = server
        }
        await server.firstQuestion?.value
        server = servers[target.account] ?? server
        var info = server.info
        if server.lacksMultipart { info.takesMultipart = false }
        return info
    }

    private func ask(_ target: LangSmithTarget, at now: ContinuousClock.Instant) async {
        let answer = try? await client.get(
            target.url.appending("/info"), headers: target.headers, limit: Self.maxAnswer, timeout: Self.infoTimeout)
        guard let answer, answer.status == 200, let info = LangSmithInfo(answer.body) else {
            logger.info(
                "the destination says nothing of itself; the usual limits hold",
                metadata: ["url": "\(target.url)/info"])
            return
        }
        servers[target.account]?.info = info
        servers[target.account]?.lacksMultipart = false
        servers[target.account]?.askAgainAt = now + LangSmithServer.refreshInterval
    }

    func post(_ request: RunRequest) async throws(ExportError) -> Outcome {
        if !gate.enter() { await withCheckedContinuation { gate.wait($0) } }
        defer { gate.leave() }
        let pause = servers[request.target.account]?.bucket.take(at: .now) ?? .zero
        if pause > .zero { try? await Task.sleep(for: pause) }
        let print = request.fingerprint
        let isRepeated = unsure.contains(print)
        if unsure.count > Self.maxUnsure { unsure = [] }
        unsure.insert(print)
        let answer: HTTPAnswer
        do {
            answer = try await client.post(
                request.body, to: request.target.url.appending(request.path), headers: request.headers,
                limit: Self.maxAnswer, timeout: configuration.requestTimeout)
        } catch {
            throw .retryable(error.description, after: nil)
        }
        let outcome = LangSmithAnswer(answer, to: request, at: clock())
        // After an error of the server, or of something in between, nobody knows whether it has the runs.
        if case .failed(.retryable) = outcome {} else { unsure.remove(print) }
        switch outcome {
        case .taken:
            telemetry.sentRuns.add(request.operations.count)
            return .taken
        case .known:
            // Some servers say so where they have only one of the runs, and then take none. All of them they have where
            // the same was sent before.
            guard isRepeated || request.operations.count == 1 else { return .mixed }
            telemetry.knownRuns.add(request.operations.count)
            return .known(isSurprise: !isRepeated)
        case .tooLarge: return .tooLarge
        case .missing:
            let isMultipart = request.path == "/runs/multipart"
            guard isMultipart, servers[request.target.account]?.lacksMultipart == false else {
                throw .retryable(
                    "the destination answered 404; spans wait until endpoint is the URL of LangSmith's API", after: nil)
            }
            logger.info("the destination has no /runs/multipart; going on with /runs/batch")
            servers[request.target.account]?.lacksMultipart = true
            return .otherEndpoint
        case .failed(let error): throw error
        }
    }
}
