import ArgumentParser

/// `weir hold`
struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keeps what is under a legal hold from being erased, and from retention.",
        subcommands: [HoldAddCommand.self, HoldListCommand.self, HoldReleaseCommand.self])
}

/// `weir hold add`
struct HoldAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Holds what there is of a tenant, or of a person.")

    @OptionGroup var option: ConfigurationOption

    @Option(name: .customLong("tenant"), help: ArgumentHelp("Whose spans they are.", valueName: "name"))
    var tenants: [String]

    @Option(
        name: .customLong("subject"),
        help: ArgumentHelp(
            "Only a person's, such as user.id=u42; all where nothing is said.", valueName: "attribute=value")
    )
    var subjects: [String] = []

    @Option(
        help: ArgumentHelp("Spans from this day on, such as 20260131; all where nothing is said.", valueName: "day"))
    var from: String?

    @Option(help: ArgumentHelp("Why, for the register.", valueName: "text"))
    var reason: String

    func run() throws {
        let tenant = try tenants.only(of: "tenant") ?? ""
        let subject = try subjects.only(of: "subject")
        let configuration = try option.readToWriteEverywhere()
        var entry = ErasureEntry(.hold, id: ErasureRegister.newID())
        (entry.tenant, entry.reason, entry.actor) = (tenant, reason, KeysOptions.actor)
        if let from {
            guard let day = Day(compact: from) else {
                throw ValidationError("found day \(from.quotedForMessage), wanted one such as 20260131")
            }
            entry.from = day
        }
        var register = try ErasureRegister(configuration.service.erasure.directory)
        if let subject {
            let (attribute, names) = try EraseSubjectCommand.names(subject, tenant, configuration)
            let hash = register.hash(of: SubjectFamily(of: attribute), tenant: tenant)
            (entry.attribute, entry.names) = (attribute, names.all.map { hash.digest(of: $0) })
        }
        try register.append(at: .now()) { _ in entry }
        try StandardOutput.write("hold \(entry.id)\n")
    }
}

/// `weir hold list`
struct HoldListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Prints the holds that are.")

    @OptionGroup var option: ConfigurationOption

    func run() throws {
        let register = try ErasureRegister(reading: option.readEverywhere().service.erasure.directory)
        var table = TextTable([
            .init(title: "ID"), .init(title: "SINCE"), .init(title: "TENANT", isFlexible: true), .init(title: "OF"),
            .init(title: "FROM"), .init(title: "WHY", isFlexible: true),
        ])
        for hold in register.holds {
            table.add([
                hold.id, CalendarTime(hold.at).date, hold.tenant ?? "",
                hold.attribute.map { "a subject by \($0)" } ?? "everything", hold.from?.text ?? "", hold.reason ?? "",
            ])
        }
        try StandardOutput.write(table.text)
    }
}

/// `weir hold release`
struct HoldReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Ends a hold; what waited for it goes with the next `weir erase apply`.")

    @OptionGroup var option: ConfigurationOption

    @Argument(help: ArgumentHelp("The hold's id.", valueName: "id"))
    var id: String

    @Option(help: ArgumentHelp("Why, for the register.", valueName: "text"))
    var reason: String

    @Flag(help: "Also one that this register does not know, such as another's that files were published under.")
    var unknown = false

    func validate() throws {
        guard !unknown || id.count == 16 && id.allSatisfy({ "0123456789abcdef".contains($0) }) else {
            throw ValidationError("found hold \(id.quotedForMessage), wanted sixteen digits of 0-9 and a-f")
        }
    }

    func run() throws {
        var register = try ErasureRegister(option.readToWriteEverywhere().service.erasure.directory)
        guard unknown || register.holds.contains(where: { $0.id == id }) else {
            throw CommandFailure(
                "found no hold \(id.quotedForMessage) in the register; --unknown releases one that only files know, "
                    + "in their manifests' legal_hold: they are merged and end as all others then")
        }
        var entry = ErasureEntry(.release, id: id)
        (entry.reason, entry.actor) = (reason, KeysOptions.actor)
        try register.append(at: .now()) { _ in entry }
    }
}
