import ArgumentParser

/// `weir components`
struct ComponentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "components", abstract: "Prints every component with its keys, defaults and ranges.")

    @Option(help: ArgumentHelp("Only receivers, processors, exporters or extensions.", valueName: "kind"))
    var type: ComponentKind?

    @Argument(help: ArgumentHelp("Only components of this name, such as otlp.", valueName: "name"))
    var name: String?

    func run() throws {
        let types = try select(from: Registry.catalogue)
        try StandardOutput.write(types.map { ComponentReference(component: $0).text + "\n" }.joined())
    }

    func select(from catalogue: Catalogue) throws -> [ComponentType] {
        let ofKind = catalogue.types.filter { type == nil || $0.kind == type }
        guard let name else { return ofKind }
        let named = ofKind.filter { $0.type == name }
        guard !named.isEmpty else {
            let known = ofKind.map(\.type)
            let wanted = known.joined(separator: ", ") + suggestion(for: name, among: known)
            throw ValidationError("found \(name.quotedForMessage), wanted one of \(wanted)")
        }
        return named
    }
}

extension ComponentKind: ExpressibleByArgument {}
