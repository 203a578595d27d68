/// What of a processor matters to those in front of it and behind it.
struct ProcessorTraits: OptionSet, Sendable {
    let rawValue: UInt16

    /// Takes personal data out.
    static let redacts = ProcessorTraits(rawValue: 1)
    /// Wants values to be encrypted by another one.
    static let wantsEncryption = ProcessorTraits(rawValue: 2)
    static let encrypts = ProcessorTraits(rawValue: 4)
    /// Writes spans to a disk before they are through the pipeline.
    static let stores = ProcessorTraits(rawValue: 8)
    /// Leaves spans out, of which usage and rollups are kept as they are then.
    static let samplesOut = ProcessorTraits(rawValue: 16)
    /// Finds out what calls of models cost.
    static let prices = ProcessorTraits(rawValue: 32)
    /// Wants what it prices to be added up in tables.
    static let hasBudgets = ProcessorTraits(rawValue: 64)
    /// An exporter with such tables.
    static let addsUpCosts = ProcessorTraits(rawValue: 128)
    /// Goes by what another one has found out that calls cost.
    static let asksCost = ProcessorTraits(rawValue: 256)
    /// Makes ciphertext of prompts and answers, or has another one make it.
    static let encryptsContent = ProcessorTraits(rawValue: 512)
    /// An exporter whose destination is there to show them, and gets them as they are.
    static let showsContent = ProcessorTraits(rawValue: 1024)
    /// Leaves out some spans of a trace and keeps others.
    static let splitsTraces = ProcessorTraits(rawValue: 2048)
}

extension PipelineConfiguration {
    /// Records where the order of the processors lets something in clear come to a disk, or takes away what a
    /// processor behind has to read, or nobody does what a processor relies on.
    /// - Parameter components: processors and exporters.
    func checkOrder(of components: [ComponentDefinition], isJournalEncrypted: Bool, _ fields: inout Fields) {
        let steps = processors.compactMap { id in
            components.first { $0.id == id }.map { (id: id, traits: $0.configuration.traits) }
        }
        func reject(_ message: String) {
            fields.record(line: line, path: "service.pipelines.\(id).processors", message)
        }
        let addsUpCosts = exporters.contains { id in
            components.contains { $0.id == id && $0.configuration.traits.contains(.addsUpCosts) }
        }
        if !addsUpCosts, let step = steps.first(where: { $0.traits.contains(.hasBudgets) }) {
            reject("\(step.id) has budgets, wanted postgres or sqlite among the exporters, which adds up what is spent")
        }
        if let step = steps.first(where: { $0.traits.contains(.encryptsContent) }) {
            for id in exporters where components.contains(where: { $0.id == id && $0.showsContent }) {
                fields.record(
                    .warning, line: line, path: "service.pipelines.\(self.id).exporters",
                    "\(id) gets nothing of the prompts and answers that \(step.id) encrypts, wanted its key reveal")
            }
        }
        warnOfCovered(by: components, &fields)
        for (index, step) in steps.enumerated() {
            let behind = steps[(index + 1)...]
            // The wish is a mark in memory: what is read from a disk again has lost it.
            let unstored = behind.prefix { !$0.traits.contains(.stores) }
            if step.traits.contains(.wantsEncryption), !unstored.contains(where: { $0.traits.contains(.encrypts) }) {
                let place = unstored.count < behind.count ? ", in front of \(behind[unstored.endIndex].id)" : ""
                reject("\(step.id) wants values to be encrypted, wanted an encryption processor behind it\(place)")
            }
            if step.traits.contains(.encrypts), let late = behind.first(where: { $0.traits.contains(.redacts) }) {
                reject("\(late.id) stands behind \(step.id) and would see ciphertext, wanted it in front")
            }
            if step.traits.contains(.samplesOut), let late = behind.first(where: { $0.traits.contains(.prices) }) {
                reject("\(step.id) leaves calls out in front of \(late.id), which then have no price, wanted it behind")
            }
            if step.traits.contains(.asksCost), !steps[..<index].contains(where: { $0.traits.contains(.prices) }) {
                // Senders may have priced them.
                fields.record(
                    .note, line: line, path: "service.pipelines.\(id).processors",
                    "\(step.id) asks what traces cost, and no cost processor stands in front of it")
            }
            if addsUpCosts, step.traits.contains(.splitsTraces),
                steps[..<index].contains(where: { $0.traits.contains(.prices) })
            {
                fields.record(
                    .note, line: line, path: "service.pipelines.\(id).processors",
                    "\(step.id) may leave out what stands between an agent and its calls, which are both paid for then,"
                        + " wanted rules that keep it, or tail_sampling")
            }
            guard step.traits.contains(.stores) else {
                if step.traits.contains(.samplesOut), let late = behind.first(where: { $0.traits.contains(.redacts) }) {
                    reject("\(step.id) keeps ids of what it leaves out in front of \(late.id), wanted it behind")
                }
                continue
            }
            if let late = behind.first(where: { $0.traits.contains(.redacts) }) {
                reject("\(step.id) stores spans in front of \(late.id), wanted it behind")
            }
            // Which is about the recall ring too.
            if !isJournalEncrypted, let late = behind.first(where: { $0.traits.contains(.encrypts) }) {
                reject(
                    "\(step.id) stores spans in front of \(late.id), wanted it behind, or service.journal.encryption")
            }
        }
    }

    /// A condition on what is encrypted in front of it never holds, or always does. Of equal values no two have the
    /// same ciphertext, so what is added up by them is not, wherever they are encrypted.
    private func warnOfCovered(by components: [ComponentDefinition], _ fields: inout Fields) {
        let steps = processors.compactMap { id in components.first { $0.id == id } }
        func cover(of key: AttributeKey, in front: Int) -> ComponentID? {
            steps[..<front].indices.first { index in
                steps[index].configuration.covers(key)
                    && steps[index..<front].contains { $0.configuration.traits.contains(.encrypts) }
            }.map { steps[$0].id }
        }
        func warn(_ message: String) {
            fields.record(.warning, line: line, path: "service.pipelines.\(id).processors", message)
        }
        for (index, step) in steps.enumerated() {
            for front in steps[..<index].map(\.id) {
                let (names, count) = Self.few(step.configuration.askedKeys.filter { cover(of: $0, in: index) == front })
                guard count > 0 else { continue }
                warn(
                    "\(step.id) asks what \(names) \(count == 1 ? "is" : "are"), and finds what \(front) in front of "
                        + "it has encrypted, wanted \(step.id) in front")
            }
            for (what, keys) in step.configuration.countedKeys {
                let covered = keys.filter { cover(of: $0, in: steps.count) != nil }
                guard let first = covered.first, let cover = cover(of: first, in: steps.count) else { continue }
                warn(
                    "\(step.id) has \(what) by \(Self.few(covered).names), which \(cover) encrypts: each value would "
                        + "count as another one, wanted it in clear, or a token of redaction")
            }
        }
    }

    private static func few(_ keys: [AttributeKey]) -> (names: String, count: Int) {
        let names = Set(keys.map(\.text)).sorted()
        let first = names.prefix(3).map(\.quotedForMessage).joined(separator: ", ")
        return (first + (names.count > 3 ? " and \(names.count - 3) more" : ""), names.count)
    }
}

extension ComponentDefinition {
    fileprivate var showsContent: Bool { configuration.traits.contains(.showsContent) }
}
