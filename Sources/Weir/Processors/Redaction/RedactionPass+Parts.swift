// The texts of a list of parts: what begins in one and ends in another is found as if they were one text.
extension RedactionPass {
    /// - Parameter parts: with the names that lead to each from here on.
    /// - Returns: each text as it is to be; nil for one that stays.
    mutating func redact(
        parts: [(text: [UInt8], path: [UInt8])], _ key: KeyDecision, depth: Int
    ) -> [[UInt8]?] {
        let texts = parts.map(\.text)
        var new = texts
        let outer = path.count
        // What is JSON is looked through leaf by leaf first; of it only what goes on in another text is found then.
        var isDone = [Bool](repeating: false, count: texts.count)
        for index in texts.indices {
            let count = texts[index].count
            let padded = texts[index] + [UInt8](repeating: 0, count: 16)
            padded.withUnsafeBytes {
                let text = UnsafeRawBufferPointer(rebasing: $0[..<count])
                guard count > 0, texts.count == 1 || JSONCursor.start(in: text) != nil else { return }
                isDone[index] = true
                path += parts[index].path
                if let redacted = redact(text, key, depth: depth) { new[index] = redacted }
                path.removeLast(path.count - outer)
            }
        }
        if texts.count > 1 {
            placed.removeAll(keepingCapacity: true)
            for _ in 0...Self.maxRounds {
                guard let next = once(joining: new, isDone, key) else { break }
                new = next
            }
        }
        return zip(texts, new).map { $0 == $1 ? nil : $1 }
    }

    private mutating func once(joining texts: [[UInt8]], _ isDone: [Bool], _ key: KeyDecision) -> [[UInt8]]? {
        let whole = Array(texts.joined())
        guard canHold(whole.count) else { return nil }
        var ranges: [Range<Int>] = []
        for text in texts {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<start + text.count)
        }
        let padded = whole + [UInt8](repeating: 0, count: 16)
        return padded.withUnsafeBytes { padded -> [[UInt8]]? in
            let text = UnsafeRawBufferPointer(rebasing: padded[..<whole.count])
            var found: [RedactionFinding] = []
            // What ends where its text does, would not where another word follows at once.
            for range in zip(ranges, isDone).filter({ !$0.1 && !$0.0.isEmpty }).map(\.0) + [0..<text.count] {
                switch findings(in: UnsafeRawBufferPointer(rebasing: text[range]), key) {
                case .success(let own):
                    found += own.map { finding in
                        RedactionFinding(
                            start: finding.start + range.lowerBound, end: finding.end + range.lowerBound,
                            kind: finding.kind)
                    }
                case .failure(let failure):
                    tally.note(failure)
                    return texts.map { _ in failure == .findings ? Self.tooMany : Self.unchecked }
                }
            }
            found = Self.inOrder(found)
            var part = 0
            found.removeAll { finding in
                while ranges[part].upperBound <= finding.start { part += 1 }
                return isDone[part] && finding.end <= ranges[part].upperBound
            }
            let edits = found.withUnsafeBufferPointer { self.edits(for: $0, in: text) }
            return edits.isEmpty || policy.isDryRun ? nil : Self.parts(of: text, ranges, edits)
        }
    }

    mutating func findings(
        in text: UnsafeRawBufferPointer, _ key: KeyDecision
    ) -> Result<[RedactionFinding], RedactionTally.Failure> {
        scan(text, key)
        if scanner.findings.isOverfull { return .failure(.findings) }
        return policy.rules.isEmpty
            ? .success((0..<scanner.findings.count).map { scanner.findings[$0] }) : withRules(text)
    }

    /// What takes the place of a finding stands in the part in which that began.
    private static func parts(of text: UnsafeRawBufferPointer, _ ranges: [Range<Int>], _ edits: [Edit]) -> [[UInt8]] {
        var edits = edits[...]
        var copied = 0
        return ranges.map { range in
            var result: [UInt8] = []
            var whole: [UInt8]?
            copied = max(copied, range.lowerBound)
            while let edit = edits.first, edit.range.lowerBound < range.upperBound {
                result += text[copied..<edit.range.lowerBound]
                result += edit.bytes
                copied = edit.range.upperBound
                if edit.isWhole { whole = edit.bytes }
                edits.removeFirst()
            }
            if copied < range.upperBound { result += text[copied..<range.upperBound] }
            return whole ?? result
        }
    }
}
