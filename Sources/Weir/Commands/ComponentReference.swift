/// What `weir components` prints of one component: a line for the component, and two for each of its keys.
struct ComponentReference {
    let component: ComponentType

    var text: String {
        var lines = ["\(component.kind.rawValue) \(component.type): \(component.help)"]
        if let note = component.note { lines.append("  note: \(note)") }
        lines += Self.lines(component.fields, below: "")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ fields: [FieldDescription], below path: String) -> [String] {
        fields.flatMap { field -> [String] in
            let place = Fields.path(path, field.key)
            var isList = false
            if case .list = field.value { isList = true }
            return ["  \(place): \(summary(field))", "      \(field.help)"]
                + lines(field.children, below: isList ? "\(place)[]" : place)
        }
    }

    private static func summary(_ field: FieldDescription) -> String {
        var parts = [field.type]
        if let range = field.range { parts.append(range) }
        if field.isRequired { parts.append("required") }
        if let value = field.default { parts.append("default \(value.text)") }
        if field.isSecret { parts.append("secret") }
        return parts.joined(separator: ", ")
    }
}
