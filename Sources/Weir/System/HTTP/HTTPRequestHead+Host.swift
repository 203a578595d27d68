import NIOHTTP1

extension HTTPRequestHead {
    /// What is wrong with `Host` where only this machine is to ask: nil for one of its own names. A page of a website
    /// whose name its owner lets point here (DNS rebinding) asks under that name, and could read the answer.
    var foreignHost: String? {
        let host = headers.first(name: "host") ?? ""
        let name = host.hasSuffix("]") || !host.contains(":") ? "\(host):0" : host
        if let endpoint = try? Endpoint(parsing: name), endpoint.isLoopback { return nil }
        return "found the host \(host.quotedForMessage), wanted localhost or a loopback address"
    }
}
