/// Tells whose spans are. Used by one thread at a time.
final class SubjectMatcher {
    enum Verdict {
        /// One of those that are erased.
        case subject
        case somebodyElse
        case nobody
    }

    private static let maxKnown = 4_096

    let group: ErasedSubjects.Group
    private let keys: [AttributeKey]
    private var session: KeyedHash.Session
    /// What was worked out lately, since names come again.
    private(set) var known = RecentValues<[UInt8], Bool>(limit: maxKnown)

    init(_ group: ErasedSubjects.Group) {
        self.group = group
        keys = group.family.keys.map { AttributeKey($0) }
        session = group.hash.session()
    }

    func names(_ value: UnsafeRawBufferPointer) -> Bool {
        let name = Array(value)
        if let isOne = known.find(name: name) { return isOne }
        let isOne = group.names.contains(group.hash.digest(of: value, &session))
        known.keep(isOne, forName: name)
        return isOne
    }

    func names(_ value: String) -> Bool {
        var value = value
        return value.withUTF8 { names(UnsafeRawBufferPointer($0)) }
    }

    /// Whether what stands in the place of a name is one of a subject's. Nil where it says nothing: it is empty, or
    /// ciphertext, of which can be told whose it is only where the key is somebody's own.
    func isSubjects(_ text: UnsafeRawBufferPointer) -> Bool? {
        guard !text.isEmpty else { return nil }
        guard Envelope.hasPrefix(text), let envelope = Envelope(text) else { return names(text) }
        return group.keys.contains(envelope.keyID) ? true : nil
    }

    func isSubjects(_ text: String) -> Bool? {
        var text = text
        return text.withUTF8 { isSubjects(UnsafeRawBufferPointer($0)) }
    }

    // MARK: Batches

    /// Which spans are a subject's.
    func verdicts(on batch: borrowing Batch) -> [Verdict] {
        let resources = batch.resources.indices.map { verdict(batch.resources[$0].attributes, batch) }
        return batch.spans.indices.map { index in
            let span = batch.spans[index]
            var found = verdict(span.attributes, batch)
            for event in span.events where found != .subject {
                found = stronger(found, verdict(batch.events[event].attributes, batch))
            }
            return stronger(found, resources[Int(batch.scopes[Int(span.scope)].resource)])
        }
    }

    /// Takes out of the batch what is a subject's, and what belongs to a trace of one and names nobody.
    /// - Parameter traces: to which those are added that subjects have spans in.
    /// - Returns: how many spans that is.
    func erase(in batch: inout Batch, _ traces: inout Set<TraceID>) -> Int {
        let before = batch.spanCount
        for index in erased(in: batch, &traces) { batch.drop(span: index) }
        return before - batch.spanCount
    }

    /// Which spans of the batch that would take.
    func erased(in batch: borrowing Batch, _ traces: inout Set<TraceID>) -> [Int] {
        let verdicts = verdicts(on: batch)
        var erased: [Int] = []
        for (index, verdict) in verdicts.enumerated() where verdict == .subject && !batch.spans[index].isDropped {
            traces.insert(batch.spans[index].trace)
            erased.append(index)
        }
        for (index, verdict) in verdicts.enumerated() where verdict == .nobody && !batch.spans[index].isDropped {
            let trace = batch.spans[index].trace
            if traces.contains(trace) || group.traces.contains(trace) { erased.append(index) }
        }
        return erased
    }

    private func stronger(_ left: Verdict, _ right: Verdict) -> Verdict {
        if left == .subject || right == .subject { return .subject }
        return left == .nobody ? right : left
    }

    private func verdict(_ range: AttributeRange, _ batch: borrowing Batch) -> Verdict {
        var found = Verdict.nobody
        for index in range.indices {
            let attribute = batch.attributes[index]
            guard !attribute.isRemoved, [.string, .int, .double].contains(attribute.kind) else { continue }
            let key = batch.bytes(attribute.key)
            guard keys.contains(where: { $0.equals(key) }) else { continue }
            let isOne: Bool? =
                switch batch.value(of: attribute) {
                case .string(let text): isSubjects(text)
                case .int(let number): names("\(number)")
                case .double(let number): names("\(number)")
                default: nil
                }
            if isOne == true { return .subject }
            if isOne == false { found = .somebodyElse }
        }
        return found
    }

    // MARK: JSON

    /// - Parameter text: an object of attributes, or an array of events, as the tables and Parquet files have them.
    func verdict(onJSON text: UnsafeRawBufferPointer) -> Verdict {
        // Most texts have none of the keys, and need not be read.
        guard keys.contains(where: { text.hasText($0.bytes) }), let tree = JSONTreeReader.value(text) else {
            return .nobody
        }
        return verdict(on: tree)
    }

    /// Whether that takes the row of a span.
    /// - Parameters:
    ///   - name: what the column of the family says; nil where there is none.
    ///   - texts: its attributes, its events and the attributes of its resource, as far as they are at hand.
    func takes(_ trace: TraceID?, name: String?, _ texts: [String]) -> Bool {
        var found = Verdict.nobody
        if let isOne = name.flatMap(isSubjects) { found = isOne ? .subject : .somebodyElse }
        for var text in texts {
            found = stronger(found, text.withUTF8 { verdict(onJSON: UnsafeRawBufferPointer($0)) })
        }
        return switch found {
        case .subject: true
        case .somebodyElse: false
        case .nobody: trace.map(group.traces.contains) ?? false
        }
    }

    private func verdict(on tree: JSONTree) -> Verdict {
        var found = Verdict.nobody
        for event in tree.elements {
            if let attributes = event["attributes"] { found = stronger(found, verdict(on: attributes)) }
        }
        for member in tree.members where isKey(member.key) {
            let name: String? =
                switch member.value {
                case .string(let text): text.string
                case .number(let digits): String(decoding: digits, as: UTF8.self)
                default: nil
                }
            guard let name, let isOne = isSubjects(name) else { continue }
            found = stronger(found, isOne ? .subject : .somebodyElse)
        }
        return found
    }

    private func isKey(_ key: JSONTree.Text) -> Bool {
        guard case .plain(let bytes) = key else { return false }
        return keys.contains { $0.equals(bytes) }
    }
}

extension Envelope {
    static func isWhole(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isWhole(UnsafeRawBufferPointer($0)) }
    }

    /// Whether what a table has is a name, though it begins like ciphertext. Ciphertext that a column has cut is none.
    static func isBeginning(ofName text: String) -> Bool {
        text.hasPrefix("\(prefix)") && text.utf8.count <= RowText.maxID - 4 && !isWhole(text)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes stand somewhere in these.
    func hasText(_ text: [UInt8]) -> Bool {
        guard let first = text.first, count >= text.count else { return false }
        var rest = self[...(count - text.count)]
        while let start = rest.firstIndex(of: first) {
            if text.withUnsafeBytes({ self[start..<start + text.count].elementsEqual($0) }) { return true }
            rest = rest[(start + 1)...]
        }
        return false
    }
}
