extension PostgresError {
    /// For the log: what is wrong, and what spans wait for.
    var reason: String {
        switch state {
        case "25006": "the database takes no writes: \(self); spans wait until it does"
        case "28000", "28P01": "\(self); spans wait until it takes the user and password of connection"
        case "3D000": "\(self); spans wait until somebody creates it"
        case "42501": "\(self); spans wait until the role may, or schema is one of its own"
        case "53100": "the server's disk is full: \(self); spans wait until there is room"
        case "55P03":
            "another session holds \(lock.map { "Weir's lock \($0)" } ?? "a lock on the tables"): \(self); "
                + "spans wait until it lets go"
        case "57014": "the server took too long, or another session holds a lock: \(self)"
        default: description
        }
    }
}
