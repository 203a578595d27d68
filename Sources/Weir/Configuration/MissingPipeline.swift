/// A pipeline of a file that is in error, so that it does not run. What it would take is taken by nobody until the file
/// is right: another pipeline may lack its redaction, and where this one alone would send spans they would be gone.
struct MissingPipeline: Sendable, Equatable {
    /// Whose spans it would take.
    enum Tenants: Equatable {
        case everybody
        case named(Set<String>)
        /// These, and whoever else: what the file says of it cannot be read.
        case uncertain(Set<String>)
    }

    /// The file's name without its ending.
    let file: String
    /// Nil where they cannot be read, and then it may be any.
    let receivers: Set<ComponentID>?
    let tenants: Tenants

    /// Whether spans of a tenant would be its.
    /// - Parameter others: tenants that pipelines at work name. Of what cannot be read nothing is known but that these
    ///   have a pipeline of their own, so they go on.
    func takes(_ tenant: String, besides others: Set<String>) -> Bool {
        switch tenants {
        case .everybody: true
        case .named(let names): names.contains(tenant)
        case .uncertain(let names): names.contains(tenant) || !others.contains(tenant)
        }
    }
}

extension MissingPipeline: CustomStringConvertible {
    /// Whose requests are refused, for the log.
    var description: String {
        switch tenants {
        case .everybody: "all"
        case .named(let names): names.sorted().joined(separator: ",")
        case .uncertain(let names): (names.sorted() + ["all that no other pipeline names"]).joined(separator: ",")
        }
    }
}
