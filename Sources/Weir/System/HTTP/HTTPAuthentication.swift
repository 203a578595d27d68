import Logging
import Synchronization

/// Asks the clients of one listener who they are.
final class HTTPAuthentication: Sendable {
    /// What became of a request, as a metric names it.
    private enum Outcome: String, CaseIterable {
        case accepted, unauthenticated, forbidden, limited
        case notReady = "not_ready"
    }

    private let authenticator: any Authenticator
    private let failures = Mutex(FailureLimiter())
    private let counters: [Outcome: Counter]
    private let logger: Logger

    init(_ authenticator: any Authenticator, _ context: Context) {
        self.authenticator = authenticator
        logger = context.logger
        counters = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map { outcome in
                let counter = context.metrics.counter(
                    "weir_authentication_requests", help: "Requests that had to say who sends them, by outcome.",
                    labels: ["component": context.id.description, "outcome": outcome.rawValue])
                return (outcome, counter)
            })
    }

    /// Nil where the listener lets everybody in.
    convenience init?(_ listener: ListenerConfiguration, _ context: Context) throws(ConfigError) {
        guard let id = listener.authenticator else { return nil }
        self.init(try context.extensions.find(id, as: (any Authenticator).self), context)
    }

    /// Who has shown `credentials`, if it may do what it wants.
    /// - Parameter address: the client's.
    func identify(
        _ credentials: Credentials?, wanting scope: Scope, from address: String
    ) throws(HTTPFault) -> Identity {
        guard let credentials else { throw refuse("found no key", address) }
        let known: Identity?
        do throws(NotReady) { known = try authenticator.identify(credentials) } catch {
            counters[.notReady]?.add()
            throw .notReady
        }
        guard let identity = known else { throw refuse("found an unknown key", address) }
        guard identity.scopes.contains(scope) else {
            counters[.forbidden]?.add()
            logger.warning(
                "refused a client",
                metadata: [
                    "client": "\(address)", "key": "\(identity.name)", "tenant": "\(identity.tenant)",
                    "reason": "the key lacks the scope \(scope.rawValue)",
                ])
            throw .forbidden("the key lacks the scope \(scope.rawValue)")
        }
        counters[.accepted]?.add()
        return identity
    }

    private func refuse(_ reason: String, _ address: String) -> HTTPFault {
        if let pause = failures.withLock({ $0.fail(address, at: .now()) }) {
            counters[.limited]?.add()
            return .tooManyFailures(retryAfter: pause)
        }
        counters[.unauthenticated]?.add()
        logger.warning("refused a client", metadata: ["client": "\(address)", "reason": "\(reason)"])
        return .unauthenticated("\(reason), wanted a key as a bearer token, basic password or X-API-Key")
    }
}
