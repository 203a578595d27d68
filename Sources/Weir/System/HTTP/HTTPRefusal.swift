import Logging

/// Why a request was refused, for the log. The client may be told less.
struct HTTPRefusal: Sendable, Equatable {
    /// How the log names `status`: `http_status`, or `grpc_status`.
    var label = "http_status"
    let status: Int
    /// What was found and what was wanted. Nothing of it is a secret.
    let reason: String
}

extension HTTPRefusal {
    /// The log's limiter keeps a client that does nothing else from filling the disk.
    /// - Parameters:
    ///   - address: the client's.
    ///   - identity: the client's, where it was asked for.
    func write(to logger: Logger, from address: String, _ identity: Identity?) {
        var metadata: Logger.Metadata = ["client": "\(address)", label: "\(status)", "reason": "\(reason)"]
        if let identity {
            metadata["key"] = "\(identity.name)"
            metadata["tenant"] = "\(identity.tenant)"
        }
        logger.warning("refused a request", metadata: metadata)
    }
}
