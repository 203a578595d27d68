extension [Letter] {
    /// The letters as they may stand on a disk.
    func sealed(by codec: (any RecordCodec)?) async throws(LetterError) -> [Letter] {
        guard let codec, codec.isSealing else { return self }
        var sealed: [Letter] = []
        for letter in self {
            do throws(Refusal) {
                let record = try await codec.seal(letter.kept.record)
                sealed.append(
                    Letter(
                        time: letter.time, exporter: letter.exporter, reason: letter.reason,
                        kept: KeptRecord(journal: letter.kept.journal, record: record)))
            } catch {
                throw LetterError("letters cannot be encrypted: \(error)")
            }
        }
        return sealed
    }
}

extension [KeptRecord] {
    /// The records as they were. One that cannot be had any more has no spans, so that who takes them counts on. For a
    /// key that cannot be had now nobody waits here: who asks comes again.
    func opened(by codec: (any RecordCodec)?) async throws(LetterError) -> [KeptRecord] {
        guard contains(where: { $0.record.codec != 0 }) else { return self }
        guard let codec else { throw LetterError("letters are encrypted, and no keystore is configured") }
        var opened: [KeptRecord] = []
        for kept in self {
            guard kept.record.codec != 0 else {
                opened.append(kept)
                continue
            }
            switch await codec.open(kept.record, while: { _ in false }) {
            case .record(let record): opened.append(KeptRecord(journal: kept.journal, record: record))
            case .gone:
                let record = JournalRecord(
                    sequence: kept.record.sequence, tenant: kept.record.tenant, receivedAt: kept.record.receivedAt,
                    spanCount: 0, payload: .empty)
                opened.append(KeptRecord(journal: kept.journal, record: record))
            case .interrupted: throw LetterError("letters are encrypted, and their key cannot be had now")
            }
        }
        return opened
    }
}
