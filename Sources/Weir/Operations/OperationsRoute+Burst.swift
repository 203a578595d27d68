extension OperationsRoute {
    static let burstPath = "/-/burst"
    static let burstStopPath = "/-/burst/stop"

    /// To have `sampling` keep everything for a time, to end that, and to see it.
    /// - Parameter clock: the time of day.
    static func bursts(_ bursts: Bursts, clock: @escaping @Sendable () -> Timestamp) -> [OperationsRoute] {
        [
            OperationsRoute(method: .GET, path: burstPath, scope: .read) { _ in
                HTTPResponse(.ok, json: json(bursts.status(at: clock()), at: clock()))
            },
            OperationsRoute(method: .POST, path: burstPath, scope: .admin) { request in
                do {
                    let wanted = try Bursts.Request(parsing: request.body)
                    let begun = try bursts.begin(wanted, at: clock())
                    return HTTPResponse(.ok, json: json(begun, at: clock()))
                } catch let problem as Bursts.Request.Problem {
                    return HTTPResponse(.badRequest, error: problem.message)
                } catch let problem as Bursts.Problem {
                    return HTTPResponse(.badRequest, error: problem.message)
                } catch {
                    return HTTPResponse(.internalServerError, error: "\(error)")
                }
            },
            OperationsRoute(method: .POST, path: burstStopPath, scope: .admin) { _ in
                HTTPResponse(.ok, json: #"{"stopped":\#(bursts.stop(nil))}"#)
            },
        ]
    }

    private static func json(_ status: [Bursts.Status], at now: Timestamp) -> String {
        let processors = status.map { status in
            let rules = status.rules.map(\.quotedAsJSON).joined(separator: ",")
            var text = #"{"processor":\#(status.processor.description.quotedAsJSON),"rules":[\#(rules)],"burst":"#
            if let burst = status.burst {
                let left = burst.left(at: now, .now)
                let burstRules = burst.rules.map { rules in
                    "[" + rules.sorted().map(\.quotedAsJSON).joined(separator: ",") + "]"
                }
                text +=
                    #"{"began":"\#(burst.id)","rules":\#(burstRules ?? "null"),"seconds_left":\#(left),"#
                    + #""bytes":\#(burst.spent),"max_bytes":\#(burst.budget),"reason":\#(burst.reason.quotedAsJSON)}"#
            } else {
                text += "null"
            }
            return text + "}"
        }
        return #"{"processors":[\#(processors.joined(separator: ","))]}"#
    }
}

extension Bursts.Problem {
    var message: String {
        switch self {
        case .noProcessor: "found no sampling processor in any pipeline, wanted one"
        case .unknownProcessor(let id, let known):
            "found processor \(id.quotedForMessage), wanted one of \(known.joined(separator: ", "))"
        case .unknownRule(let rule, let known):
            "found rule \(rule.quotedForMessage), wanted one of \(known.joined(separator: ", "))"
        }
    }
}
