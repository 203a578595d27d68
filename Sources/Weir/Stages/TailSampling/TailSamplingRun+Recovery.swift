// After a crash: nothing is decided or forwarded twice.
extension TailSamplingRun {
    /// Learns what an earlier process has decided and forwarded.
    /// - Returns: false where that ended early, since a journal cannot be read yet and nobody waits any more.
    func recover() async -> Bool {
        readDecisions()
        guard await readForwarded(), !course.progress.waiting.isHandedOver else { return false }
        // What the second journal holds for this stage alone could leave no room there.
        await settle()
        return await endVoidCopies()
    }

    private func readDecisions() {
        do throws(FileError) {
            var unread = 0
            try decisions.forEach { line in
                if let made = TailSamplingFiles.decision(in: line) {
                    window.remember(made.decision, of: made.tenant)
                } else {
                    unread += 1
                }
            }
            if unread > 0 {
                logger.warning(
                    "left out what is no decision, or one that an older Weir wrote: late spans begin these traces anew",
                    metadata: ["lines": "\(unread)"])
            }
        } catch {
            telemetry.noteTrouble("cannot read what was decided", error)
        }
    }

    private func readForwarded() async -> Bool {
        while true {
            let records = await retried(course.reader.cursor.next, "the second journal cannot be read") {
                try await course.progress.readNext()
            }
            guard let records else { return false }
            guard !records.isEmpty else { return true }
            for record in records {
                guard let origin = note(record) else { continue }
                for decision in origin.decisions { window.remember(decision, of: record.tenant) }
                if !origin.sequences.allSatisfy(course.reader.cursor.isDone) { course.reader.commit(origin.sequences) }
            }
        }
    }

    /// Says in the second journal which copies are void, before anything else goes on: once their records have, nobody
    /// could tell them from copies whose spans went on from there.
    private func endVoidCopies() async -> Bool {
        guard let copies = await voidCopies() else { return false }
        // The last one first: as long as one is there that it was made of, a copy is void.
        for copy in copies.reversed() {
            let range = copy.sequences
            var entry = JournalEntry(tenant: copy.tenant, receivedAt: copy.receivedAt, spanCount: 0, payload: .empty)
            entry.section.add(RecordOrigin(course.reader.journal, range))
            let isEnded = await retried(range.lowerBound, "the second journal does not take that it is void") {
                do {
                    _ = try await course.target.journal.append(entry)
                } catch {
                    await settle()
                    throw error
                }
            }
            guard isEnded != nil else { return false }
            course.reader.commit(range)
            hasNews = true
        }
        return true
    }

    /// - Returns: nil where they cannot be found yet and nobody waits any more.
    private func voidCopies() async -> [VoidCopies.Run]? {
        let reader = course.reader
        let done = reader.cursor
        var copies = VoidCopies(in: reader.journal)
        var position = done.next
        // A stage before this one may have made some that nobody can read yet.
        let isKept = await retried(position, "what the journal has refused may stand there nevertheless") {
            let isSynced = await course.keepCopies()
            guard isSynced, !(await course.holdsRefused()) else {
                await settle()
                throw DiskError(description: "it cannot be written", isFull: false)
            }
        }
        guard isKept != nil else { return nil }
        let head = course.source.journal.head
        while position < head {
            let again = await retried(position, "what an earlier process has left cannot be read") {
                let again = try await reader.readAgain(from: position)
                guard again.sealed == 0 else {
                    throw DiskError(description: "found a sealed record, wanted a keystore", isFull: false)
                }
                return again
            }
            guard let again else { return nil }
            for record in again.records where record.sequence < head && !done.isDone(record.sequence) {
                copies.add(record)
            }
            if again.next == position { break }
            position = again.next
        }
        return copies.runs
    }

    /// Tries until it works.
    /// - Returns: nil where it does not and nobody waits any more.
    private func retried<Result>(
        _ sequence: UInt64, _ what: String, _ body: () async throws -> Result
    ) async -> Result? {
        while true {
            do {
                let result = try await body()
                telemetry.noteWentOn(sequence)
                return result
            } catch {
                telemetry.noteHeldUp(sequence, what, error)
            }
            guard !course.reader.waiting.isClosed, (try? await Task.sleep(for: Self.retryPause)) != nil else {
                return nil
            }
        }
    }
}
