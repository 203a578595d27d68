/// Reads what was spent, keeps the board, and says which budgets were used up: to the log, the metrics and a webhook.
actor BudgetMonitor {
    /// Between two readings.
    static let pause = Duration.seconds(1)
    /// For so long a webhook is asked to take a crossing, in nanoseconds.
    static let patience: UInt64 = 24 * BudgetWindow.hourLength

    private let id: String
    private let reader: any StoreReader
    private let log: any BudgetLog
    private let webhook: BudgetWebhook?
    /// Their names.
    private let budgets: [String]
    private let board: BudgetBoard
    private var telemetry: BudgetTelemetry
    private let clock: @Sendable () -> Timestamp
    private var book: BudgetBook
    /// Crossings that the webhook has not taken, the oldest first; nil before they were read.
    private var unsent: [BudgetCrossing]?
    private var backoff = Backoff(initial: .seconds(1), longest: .seconds(300), multiplier: 2)

    /// - Parameter id: under which the board has it.
    init(
        _ id: String, _ budgets: [Budget], _ webhook: BudgetWebhook?, reader: any StoreReader, log: any BudgetLog,
        board: BudgetBoard, _ context: Context, clock: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.id = id
        self.webhook = webhook
        self.budgets = budgets.map(\.name)
        self.reader = reader
        self.log = log
        self.board = board
        self.clock = clock
        telemetry = BudgetTelemetry(context)
        book = BudgetBook(budgets)
    }

    /// Until the task is cancelled.
    func run() async {
        board.show(book, of: id)
        await withTaskGroup { group in
            group.addTask { await self.repeatReading() }
            if let webhook { group.addTask { await self.notify(webhook) } }
        }
    }

    private func repeatReading() async {
        repeat { await read() } while (try? await Task.sleep(for: Self.pause)) != nil
    }

    /// Reads everything once.
    func read() async {
        let now = clock()
        do {
            var answers: [(wish: BudgetBook.Wish, page: Page<Spend>)] = []
            for wish in book.wishes(at: now) { answers.append((wish, try await reader.page(wish.query))) }
            let crossings = book.note(answers, at: now) { [board] in board.calls($0, tenant: $1) }
            board.show(book, of: id)
            telemetry.show(book)
            guard !crossings.isEmpty else { return }
            let new = try await log.record(crossings)
            book.noteRecorded(crossings)
            for crossing in new { telemetry.note(crossing) }
            if webhook != nil, unsent != nil {
                unsent = Array(((unsent ?? []) + new).prefix(BudgetLogLimits.maximumUnnotified))
            }
        } catch {
            book.fail()
            if !Task.isCancelled { telemetry.noteFailure("\(error)") }
        }
    }

    // MARK: The webhook

    private func notify(_ webhook: BudgetWebhook) async {
        guard let client = try? HTTPClient(tls: nil) else { return }
        var pause = Self.pause
        while (try? await Task.sleep(for: pause)) != nil { pause = await send(to: webhook, by: client) }
        await client.shutDown()
    }

    /// Sends what is to be sent, until something goes wrong.
    /// - Returns: when to come back.
    func send(to webhook: BudgetWebhook, by client: HTTPClient) async -> Duration {
        do {
            let now = clock()
            let earliest = Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, Self.patience))
            if unsent?.isEmpty ?? true { unsent = try await log.unnotified(of: budgets, since: earliest) }
            while let crossing = unsent?.first {
                guard crossing.at >= earliest else {
                    unsent?.removeFirst()
                    telemetry.note(.expired, "a crossing of \(crossing.key.budget) is older than a day")
                    continue
                }
                guard try await log.claim(crossing) else {
                    // It comes again where the other one does not bring it to an end.
                    unsent?.removeFirst()
                    continue
                }
                let status = try await status(of: crossing, to: webhook, by: client)
                guard (200...299).contains(status) else {
                    try await log.release()
                    telemetry.note(.failed, "found status \(status), wanted 200")
                    return backoff.next(chance: .random(in: 0...1))
                }
                try await log.noteNotified(crossing, at: now)
                unsent?.removeFirst()
                telemetry.note(.sent)
            }
            backoff.reset()
            return Self.pause
        } catch {
            if !Task.isCancelled { telemetry.note(.failed, "\(error)") }
            return backoff.next(chance: .random(in: 0...1))
        }
    }

    private func status(
        of crossing: BudgetCrossing, to webhook: BudgetWebhook, by client: HTTPClient
    ) async throws -> Int {
        do {
            return try await client.post(
                Array(crossing.json.utf8), to: webhook.url,
                headers: [("Content-Type", "application/json")] + webhook.headers, limit: 1_024,
                timeout: webhook.timeout
            ).status
        } catch {
            try? await log.release()
            throw error
        }
    }
}
