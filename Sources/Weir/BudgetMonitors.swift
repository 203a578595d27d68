/// The budgets that are watched: those of each `cost` processor, in the tables of the pipeline that it stands in.
actor BudgetMonitors {
    private struct Running {
        let key: Int
        let task: Task<Void, Never>
    }

    nonisolated let board = BudgetBoard()
    private var running: [String: Running] = [:]

    /// Goes on with what `next` describes. What is the same stays as it is.
    func apply(_ next: Builder) async {
        let wanted = next.budgets
        board.call((try? SubjectNames.tokens(of: next.configuration)).map(Self.names))
        for (id, monitor) in running where wanted[id]?.key != monitor.key { await stop(id, monitor) }
        for (id, watched) in wanted where running[id] == nil {
            // Nobody is told that nothing was spent before anything was read.
            board.show(BudgetBook(watched.configuration.budgets), of: id)
            let monitor = BudgetMonitor(
                id, watched.configuration.budgets, watched.configuration.webhook,
                reader: watched.store.reader(.default),
                log: watched.store.budgetLog, board: board, watched.context)
            running[id] = Running(key: watched.key, task: Task { await monitor.run() })
        }
    }

    func stop() async {
        for (id, monitor) in running { await stop(id, monitor) }
    }

    /// - Parameter tokens: what redaction makes of ids.
    private static func names(_ tokens: [SubjectTokens]) -> BudgetBoard.Names {
        { user, tenant in
            SubjectNames(of: user, tenant: tenant, tokens).all.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func stop(_ id: String, _ monitor: Running) async {
        monitor.task.cancel()
        await monitor.task.value
        running[id] = nil
        board.show(nil, of: id)
    }
}

extension Builder {
    /// A `cost` processor with budgets, and where what it prices is stored.
    struct Watched {
        /// What makes both what they are.
        let key: Int
        let configuration: CostConfiguration
        let store: HotTables
        let context: Context
    }

    /// By processor and exporter. Of the exporters of a pipeline the first with hot tables, since all have the same.
    var budgets: [String: Watched] {
        var budgets: [String: Watched] = [:]
        for pipeline in configuration.service.pipelines {
            let exporters = pipeline.exporters.compactMap { id in configuration.exporters.first { $0.id == id } }
            guard let exporter = exporters.first(where: { HotTables($0) != nil }), let store = HotTables(exporter)
            else {
                continue
            }
            for definition in configuration.processors where pipeline.processors.contains(definition.id) {
                guard let cost = definition.configuration as? CostConfiguration, !cost.budgets.isEmpty else { continue }
                var hasher = Hasher()
                hasher.combine(key(of: definition))
                hasher.combine(key(of: exporter))
                // They make tokens of the users' ids that budgets name.
                for redaction in configuration.processors where redaction.configuration is RedactionConfiguration {
                    hasher.combine(key(of: redaction))
                }
                budgets["\(definition.id) \(exporter.id)"] = Watched(
                    key: hasher.finalize(), configuration: cost, store: store, context: context(definition.id))
            }
        }
        return budgets
    }
}
