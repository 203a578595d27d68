/// One request after the other.
extension LangSmithExporter {
    enum Outcome {
        case taken
        /// The destination has all of it, which is a surprise where nobody can have sent it before.
        case known(isSurprise: Bool)
        /// The destination has some of it, or all.
        case mixed
        case tooLarge
        /// From now on requests look otherwise, or go elsewhere.
        case otherWay
    }

    /// Bytes of an answer that are read.
    private static let maxAnswer = 64 << 10
    private static let infoTimeout = Duration.seconds(5)

    /// What the destination says of itself, not older than an hour; what clients assume where it says nothing. Only the
    /// first answer is waited for.
    func info(of target: LangSmithTarget) async -> LangSmithInfo {
        let now = ContinuousClock.now
        var server =
            servers[target.account] ?? LangSmithServer(gate: RequestGate(limit: configuration.connections))
        if server.askAgainAt.map({ $0 <= now }) ?? true {
            // Nobody else asks meanwhile.
            server.askAgainAt = now + LangSmithServer.retryInterval
            let question = Task { await ask(target, at: now) }
            server.firstQuestion = server.firstQuestion ?? question
            servers[target.account] = server
        }
        await server.firstQuestion?.value
        return servers[target.account]?.known ?? .unknown
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
        servers[target.account]?.unread = []
        servers[target.account]?.askAgainAt = now + LangSmithServer.refreshInterval
    }

    /// Whether neither an earlier process or exporter can have sent any of it, nor this one, and have forgotten it.
    private func isNew(_ part: FrozenBatch) -> Bool {
        let known = max(part.recoveredThrough, unsure.forgottenThrough)
        return part.records.allSatisfy { $0.sequence > known }
    }

    /// - Parameter part: what the request has spans of.
    func post(_ request: RunRequest, of part: FrozenBatch) async throws(ExportError) -> Outcome {
        let account = request.target.account
        try checkRest(request)
        let pause = buckets.take(account, perMinute: configuration.requestsPerMinute, at: .now)
        if pause > .zero { try? await Task.sleep(for: pause) }
        if servers[account]?.gate.enter() == false {
            await withCheckedContinuation { servers[account]?.gate.wait($0) }
        }
        defer { servers[account]?.gate.leave() }
        // Who was in front may have heard that there is a pause.
        try checkRest(request)
        // What comes from elsewhere has sequences of another journal, and is never new.
        let last = part.recoveredThrough == .max ? 0 : part.records.reduce(0) { max($0, $1.sequence) }
        let isRepeated = unsure.send(request, through: last)
        let isNew = isNew(part)
        let start = ContinuousClock.now
        let answer: LangSmithAnswer
        do {
            let said = try await client.post(
                request.body, to: request.target.url.appending(request.path), headers: request.headers,
                limit: Self.maxAnswer, timeout: configuration.requestTimeout)
            answer = LangSmithAnswer(said, to: request, hidesText: hidesAnswers, at: clock())
        } catch {
            answer = .failed(.retryable(error.description, after: nil))
        }
        if case .failed(.retryable(let reason, let pause)) = answer {
            throw failure(reason, pause, of: request, since: start)
        }
        if answer != .missing { servers[account]?.work() }
        return try outcome(answer, request, isNew: isNew, isRepeated: isRepeated)
    }

    private func outcome(
        _ answer: LangSmithAnswer, _ request: RunRequest, isNew: Bool, isRepeated: Bool
    ) throws(ExportError) -> Outcome {
        let account = request.target.account
        switch answer {
        case .taken:
            unsure.decide(request, isThere: true)
            telemetry.sentRuns.add(request.operations.count)
            return .taken
        case .known:
            // Some servers say so where they have only one of the runs, and then take none. All of them they have where
            // the same was sent before, and nobody has sent a part of it.
            guard isRepeated && isNew || request.operations.count == 1 else {
                unsure.decide(request, isThere: false)
                return .mixed
            }
            unsure.decide(request, isThere: true)
            telemetry.knownRuns.add(request.operations.count)
            if isNew, !isRepeated, request.standIns.isEmpty, request.root == nil { noteUnexpected() }
            return .known(isSurprise: isNew && !isRepeated)
        case .tooLarge:
            unsure.decide(request, isThere: false)
            return .tooLarge
        case .unread:
            unsure.decide(request, isThere: false)
            logger.info(
                "the destination does not read this compression", metadata: ["compression": "\(request.compression)"])
            servers[account]?.unread.insert(request.compression)
            return .otherWay
        case .missing:
            unsure.decide(request, isThere: false)
            let isMultipart = request.path == "/runs/multipart"
            guard isMultipart, servers[account]?.lacksMultipart == false else {
                let reason = "the destination answered 404; spans wait until endpoint is the URL of LangSmith's API"
                throw failure(reason, nil, of: request, since: .now)
            }
            logger.info("the destination has no /runs/multipart; going on with /runs/batch")
            servers[account]?.lacksMultipart = true
            return .otherWay
        case .failed(let error):
            unsure.decide(request, isThere: false)
            throw error
        }
    }

    /// Where ids of spans are not unique, LangSmith takes the second span for the first.
    private func noteUnexpected() {
        telemetry.unexpectedRuns.add()
        guard !hasWarned else { return }
        hasWarned = true
        logger.warning(
            "the destination has a run that was not sent before: its span came twice, or another span has its ids",
            metadata: ["metric": "weir_langsmith_unexpected_runs"])
    }
}

// MARK: - Destinations in trouble

extension LangSmithExporter {
    /// Where all that is sent goes to one destination, the delivery pauses. Where tenants have destinations of their
    /// own, one that takes nothing keeps only its own tenants' spans.
    private func failure(
        _ reason: String, _ pause: Duration?, of request: RunRequest, since start: ContinuousClock.Instant
    ) -> ExportError {
        guard configuration.hasSeveralAccounts else { return .retryable(reason, after: pause) }
        servers[request.target.account]?.fail(since: start, at: .now, pause: pause, reason)
        return later(reason, request)
    }

    private func checkRest(_ request: RunRequest) throws(ExportError) {
        guard let reason = servers[request.target.account]?.rest(at: .now) else { return }
        throw later(reason, request)
    }

    private func later(_ reason: String, _ request: RunRequest) -> ExportError {
        let isAway = servers[request.target.account]?.isAway(at: .now) ?? false
        return isAway ? .tenantAway(request.tenant, reason) : .retryable(reason, after: nil)
    }
}
