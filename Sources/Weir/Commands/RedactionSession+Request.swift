import Foundation

// A request, place by place: what each text and attribute is, what it would be, and by what.
extension RedactionSession {
    /// - Returns: three lines for each that something was found in; nil where the text is no request.
    mutating func explain(request: Data) -> [UInt8]? {
        guard decode(request) else { return nil }
        var shown: [UInt8] = []
        pass.begin(&batch)
        for index in batch.resources.indices {
            let place = "resource \(index + 1)"
            explain(.resource(index), place, &shown)
            explain(.resourceSchemaURL(index), "schema_url", place, &shown)
        }
        for index in batch.scopes.indices {
            let place = "scope \(index + 1)"
            explain(.scope(index), place, &shown)
            explain(.scopeName(index), "name", place, &shown)
            explain(.scopeVersion(index), "version", place, &shown)
            explain(.scopeSchemaURL(index), "schema_url", place, &shown)
        }
        for index in batch.spans.indices { explain(span: index, &shown) }
        return shown
    }

    private mutating func explain(span index: Int, _ shown: inout [UInt8]) {
        let place = "span \(index + 1)"
        explain(.spanName(index), "name", place, &shown)
        explain(.traceState(index), "trace_state", place, &shown)
        explain(.statusMessage(index), "status.message", place, &shown)
        explain(.span(index), place, &shown)
        let span = batch.spans[index]
        for (number, event) in span.events.enumerated() {
            let place = "\(place), event \(number + 1)"
            pass.isOfMessage = pass.isMessage(event, span: index, batch)
            explain(.eventName(event, span: index), "name", place, &shown)
            explain(.event(event, span: index), place, &shown)
            pass.isOfMessage = false
        }
        for (number, link) in span.links.enumerated() {
            let place = "\(place), link \(number + 1)"
            explain(.linkTraceState(link, span: index), "trace_state", place, &shown)
            explain(.link(link, span: index), place, &shown)
        }
    }

    private mutating func explain(_ text: BatchText, _ name: String, _ place: String, _ shown: inout [UInt8]) {
        let before = line(text, name)
        switch text {
        case .traceState, .linkTraceState: pass.traceState(text, &batch)
        case .scopeVersion: pass.text(text, pass.structuralText, &batch)
        default: pass.text(text, pass.plainText, &batch)
        }
        explain(before, line(text, name), place, &shown)
    }

    private mutating func explain(_ owner: AttributeOwner, _ place: String, _ shown: inout [UInt8]) {
        pass.names.forget()
        for index in batch.attributes(of: owner).indices where !batch.attributes[index].isRemoved {
            let before = line(attribute: index)
            let decision = pass.decision(forKey: batch.bytes(batch.attributes[index].key))
            _ = pass.attribute(index, decision, owner, &batch)
            explain(before, line(attribute: index), place, &shown)
        }
    }

    private mutating func explain(_ before: [UInt8], _ after: [UInt8], _ place: String, _ shown: inout [UInt8]) {
        let found = drain()
        guard !found.isEmpty else { return }
        shown += Array("- ".utf8) + before + Array("\n+ ".utf8) + after
        shown += Array("\n  \(place): \(found.joined(separator: ", "))\n".utf8)
    }

    // MARK: What a person reads

    private static let limits = DebugText.Limits(valueLength: 64 << 20, items: .max)

    private func line(_ text: BatchText, _ name: String) -> [UInt8] {
        var line = DebugText(Self.limits)
        line.append("\(name): ")
        line.appendQuoted(batch.bytes(batch.ref(of: text)))
        return line.bytes
    }

    private func line(attribute index: Int) -> [UInt8] {
        let attribute = batch.attributes[index]
        var line = DebugText(Self.limits)
        if attribute.isRemoved {
            line.append("(removed)")
            return line.bytes
        }
        line.appendKey(batch.bytes(attribute.key))
        line.append(": ")
        if attribute.mustEncrypt { line.append("(encrypted) ") }
        if attribute.mustEncryptMembers { line.append("(encrypted in part) ") }
        line.appendValue(batch.value(of: attribute))
        return line.bytes
    }
}
