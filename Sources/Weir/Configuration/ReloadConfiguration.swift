/// The section `service.reload`.
struct ReloadConfiguration: Sendable {
    let watches: Bool
    let checkInterval: Duration

    init(_ fields: inout Fields) {
        watches = fields.bool(
            "watch", default: false,
            "Reloads when a file of the configuration has changed and was left alone for a check_interval.")
        checkInterval = fields.duration(
            "check_interval", default: .seconds(1), in: .milliseconds(10)...(.seconds(3600)),
            "How often the files are looked at.")
    }
}
