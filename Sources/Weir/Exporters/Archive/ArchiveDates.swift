/// How long a file of the archive is kept, as its manifest says.
struct ArchiveDates: Equatable, Sendable {
    /// The rule that it was published under.
    let retentionClass: String
    /// From this day on rows are left to the archive of OTLP, if there is one that has them.
    let transition: Day
    /// From this day on it is removed.
    let expires: Day

    init(retentionClass: String, transition: Day, expires: Day) {
        (self.retentionClass, self.transition, self.expires) = (retentionClass, transition, expires)
    }

    var tree: JSONTree {
        .fields([
            ("class", .text(retentionClass)), ("transition", .text(transition.text)), ("expires", .text(expires.text)),
        ])
    }

    init?(_ tree: JSONTree) {
        guard let name = tree["class"]?.asText, let transition = tree["transition"]?.asText.flatMap(Day.init(text:)),
            let expires = tree["expires"]?.asText.flatMap(Day.init(text:))
        else { return nil }
        self.init(retentionClass: name, transition: transition, expires: expires)
    }

    /// Of a file that has what both had: nothing is kept for less than it was promised.
    func joined(_ other: ArchiveDates) -> ArchiveDates {
        ArchiveDates(
            retentionClass: expires < other.expires ? other.retentionClass : retentionClass,
            transition: max(transition, other.transition), expires: max(expires, other.expires))
    }
}

extension Day {
    /// Reads ``text``; nil if it is something else.
    init?(text: String) {
        self.init(compact: text.filter { $0 != "-" })
        guard self.text == text else { return nil }
    }
}
