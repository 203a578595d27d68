/// Drops spans that match one of several conditions.
struct FilterProcessor: Processor {
    struct Configuration: Configurable {
        /// Conditions of one list.
        static let maximumCount = 256

        /// A span that matches one of them is dropped.
        let spanConditions: [Condition]

        var askedKeys: [AttributeKey] { spanConditions.flatMap(\.expression.keys) }

        /// The OpenTelemetry Collector's modes, for files that have them. A condition of Weir cannot fail.
        private enum ErrorMode: String, CaseIterable {
            case ignore, silent, propagate
        }

        init(_ fields: inout Fields) throws(ConfigError) {
            _ = fields.choice("error_mode", default: ErrorMode.ignore, "Accepted; a condition cannot fail.")
            spanConditions = fields.section("traces", "What is dropped.") { fields in
                fields.parsedList(
                    "span", count: 1...Self.maximumCount, "Conditions; a span that matches one of them is dropped.",
                    Condition.init(parsing:))
            }
        }
    }

    static let type = "filter"
    static let help = "Drops spans that match a condition."

    private let conditions: [Condition]
    private let filtered: Counter
    private let telemetry: MatchTelemetry

    init(_ configuration: Configuration, _ context: Context) {
        conditions = configuration.spanConditions
        filtered = context.metrics.counter(
            "otelcol_processor_filter_spans_filtered", help: "Spans that a filter processor dropped.",
            labels: ["filter": context.id.description])
        telemetry = MatchTelemetry(context)
    }

    mutating func process(_ batch: inout Batch) {
        let before = batch.spanCount
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            if isUnwanted(index, batch) { batch.drop(span: index) }
        }
        filtered.add(before - batch.spanCount)
        telemetry.take(from: batch)
    }

    private func isUnwanted(_ index: Int, _ batch: borrowing Batch) -> Bool {
        for condition in conditions {
            if condition.matches(batch, span: batch.spans[index]) { return true }
        }
        return false
    }
}
