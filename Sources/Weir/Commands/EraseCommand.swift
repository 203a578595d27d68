import ArgumentParser
import Foundation

/// `weir erase`
struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erases what Weir has stored of a person, for ever; exits 3 while something is left.",
        discussion: "May be used while Weir runs, and said again after a crash. docs/erasure.md has what is covered.",
        subcommands: [
            EraseSubjectCommand.self, EraseStatusCommand.self, EraseApplyCommand.self, EraseConfirmEndCommand.self,
        ],
        defaultSubcommand: EraseSubjectCommand.self)

    static let leftCode = ExitCode(3)

    /// Does what can be done now, and prints it.
    /// - Returns: whether nothing is left.
    static func run(_ request: ErasureRequest, _ erasure: inout Erasure) async throws -> Bool {
        try StandardOutput.write(
            "erasure \(request.id) of tenant \(request.tenant), a subject by \(request.attribute)\n")
        // Or was, the last time.
        var isFound = !request.steps.isEmpty
        do {
            let left = try await erasure.run(request) { step in
                isFound = isFound || step.counts.contains { $0.value > 0 }
                // Where nothing was found that is said too: it was looked for there.
                let found = step.isEmpty ? Array(step.counts.prefix(1)) : step.counts.filter { $0.value > 0 }
                guard !found.isEmpty else { return }
                let counts = found.map { "\($0.value) \($0.name)" }
                try StandardOutput.write("  \(step.place): \(counts.joined(separator: ", "))\n")
            }
            for part in left { try StandardOutput.write("  left: \(part.place), until \(part.until)\n") }
            if !erasure.elsewhere.isEmpty {
                try StandardOutput.write("  not here: what went to \(erasure.elsewhere.joined(separator: ", "))\n")
            }
            if !isFound {
                try StandardOutput.write(
                    "  nothing was found: is the tenant or the attribute spelt as spans have it? What comes later of "
                        + "this subject is not stored either\n")
            }
            try StandardOutput.write(
                left.isEmpty ? "  complete\n" : "  not complete: run `weir erase apply` after that\n")
            return left.isEmpty
        } catch let held as Erasure.Held {
            try StandardOutput.write(Self.text(of: held, isBegun: isFound))
            return false
        }
    }

    /// - Parameter isBegun: something was destroyed before the hold was there.
    private static func text(of held: Erasure.Held, isBegun: Bool) -> String {
        let (id, reason) = (held.hold.id, held.hold.reason ?? "")
        let destroyed = isBegun ? "nothing more was destroyed" : "nothing was destroyed"
        guard held.unknown.isEmpty else {
            let places = held.unknown.map { "  not looked into: \($0.place), until \($0.until)\n" }
            return "  hold \(id) may cover spans of the same traces: \(reason)\n" + places.joined()
                + "  \(destroyed): run `weir erase apply` after that\n"
        }
        guard held.traces > 0 else { return "  held by \(id): \(reason)\n" }
        return "  held by \(id), whose subject is in \(held.traces) of the traces: \(reason)\n"
            + "  \(destroyed): run `weir erase apply` when the hold is released\n"
    }
}

struct EraseSubjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subject", abstract: "Erases a person; what `weir erase` does.")

    @OptionGroup var option: ConfigurationOption

    @Option(name: .customLong("tenant"), help: ArgumentHelp("Whose spans they are.", valueName: "name"))
    var tenants: [String]

    @Option(
        name: .customLong("subject"),
        help: ArgumentHelp(
            "The person, such as user.id=u42; also where redaction makes a token of it.", valueName: "attribute=value"))
    var subjects: [String]

    @Option(help: ArgumentHelp("Why, for the register.", valueName: "text"))
    var reason = ""

    @Flag(help: "Rewrites partitions of Postgres, so that no byte is left in them; locks each for as long.")
    var rewrite = false

    func run() async throws {
        let tenant = try tenants.only(of: "tenant") ?? ""
        let subject = try subjects.only(of: "subject") ?? ""
        let configuration = try option.readToWriteEverywhere()
        let (attribute, names) = try Self.names(subject, tenant, configuration)
        var tags: [[UInt8]] = []
        for ring in ErasurePlaces(configuration).rings {
            // Spans that come are not stored from here on, and those that are there go, also without keys.
            if let problem = await ring.open(at: .now()) {
                StandardError.note("\(problem)")
                tags = []
                break
            }
            tags += try names.tags(of: attribute, tenant: tenant, in: ring)
        }
        var erasure = try Erasure(configuration, rewrites: rewrite)
        let request: ErasureRequest
        do {
            request = try erasure.request(
                tenant: tenant, attribute: attribute, names: names.all, tags: tags, by: KeysOptions.actor,
                reason: reason)
        } catch let held as Erasure.Held {
            throw CommandFailure("hold \(held.hold.id) covers the person: \(held.hold.reason ?? "")")
        }
        guard try await EraseCommand.run(request, &erasure) else { throw EraseCommand.leftCode }
    }

    static func names(
        _ subject: String, _ tenant: String, _ configuration: CollectorConfiguration
    ) throws -> (attribute: String, names: SubjectNames) {
        let parts = subject.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, SubjectFamily.isName(parts[0]), !parts[1].isEmpty else {
            throw ValidationError("found subject \(subject.quotedForMessage), wanted one such as user.id=u42")
        }
        return (parts[0], try SubjectNames(of: parts[1], tenant: tenant, configuration))
    }
}

/// `weir erase apply`
struct EraseApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Goes on with the erasures that are not complete; with --all, after a restore, with every one.")

    @OptionGroup var option: ConfigurationOption

    @Flag(help: "Also those that are complete: for what a backup has brought back.")
    var all = false

    @Flag(help: "Rewrites partitions of Postgres, so that no byte is left in them; locks each for as long.")
    var rewrite = false

    func run() async throws {
        var erasure = try Erasure(option.readToWriteEverywhere(), rewrites: rewrite)
        var isComplete = true
        for request in erasure.register.requests where all || request.completedAt == nil {
            isComplete = try await EraseCommand.run(request, &erasure) && isComplete
        }
        guard isComplete else { throw EraseCommand.leftCode }
    }
}

/// `weir erase confirm-end`
struct EraseConfirmEndCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-end",
        abstract: "Takes the register as it is, where lines are missing at its end, and writes that down.")

    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("Why, for the register.", valueName: "text"))
    var reason: String

    func run() throws {
        let configuration = try option.readToWriteEverywhere()
        var register = try ErasureRegister(configuration.service.erasure.directory, takesAnyEnd: true)
        var entry = ErasureEntry(.confirm, id: ErasureRegister.newID())
        (entry.actor, entry.reason) = (KeysOptions.actor, reason)
        try register.append(at: .now()) { _ in entry }
        try StandardOutput.write("the register has \(register.entries.count) lines\n")
    }
}

/// `weir erase status`
struct EraseStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Prints what was asked to be erased, and what was done for it.")

    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("Everything about one request.", valueName: "id"))
    var id: String?

    @Option(help: ArgumentHelp("A table to read, or the register's lines.", valueName: "table|json"))
    var format = StoreOptions.Format.table

    func run() throws {
        let register = try ErasureRegister(reading: option.readEverywhere().service.erasure.directory)
        let entries = register.entries.filter { id == nil || $0.id == id }
        if format == .json {
            return try StandardOutput.write(entries.map { String(decoding: $0.line, as: UTF8.self) }.joined())
        }
        try StandardOutput.write(Self.table(of: register, id: id))
    }

    static func table(of register: ErasureRegister, id: String?) -> String {
        var table = TextTable([
            .init(title: "ID"), .init(title: "TENANT", isFlexible: true), .init(title: "BY"),
            .init(title: "REQUESTED"), .init(title: "COMPLETE"), .init(title: "ERASED", isFlexible: true),
        ])
        for request in register.requests where id == nil || request.id == id {
            let steps = request.steps.map { step in
                let counts = step.counts.filter { $0.value > 0 }.map { "\($0.value) \($0.name)" }
                return "\(step.place ?? ""): \(counts.joined(separator: ", "))"
            }
            table.add([
                request.id, request.tenant, request.attribute, Self.text(request.at),
                request.completedAt.map(Self.text) ?? "no", steps.joined(separator: "; "),
            ])
        }
        return table.text
    }

    private static func text(_ time: Timestamp) -> String {
        let time = CalendarTime(time)
        return "\(time.date) \(time.time)"
    }
}
