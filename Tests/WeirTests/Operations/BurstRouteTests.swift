import NIOCore
import NIOHTTP1
import Testing

@testable import Weir

@Suite(.hangLimit) struct BurstRouteTests {
    private func request(_ text: String) throws -> Bursts.Request {
        try Bursts.Request(parsing: .copying(Array(text.utf8)))
    }

    private func problem(_ text: String) -> String? {
        do {
            _ = try request(text)
            return nil
        } catch {
            return (error as? Bursts.Request.Problem)?.message
        }
    }

    @Test func readsWhatIsAskedFor() throws {
        #expect(try request("") == Bursts.Request())
        #expect(try request(" {} ") == Bursts.Request())
        let text =
            #"{"processor":"sampling/x","rules":["ui","b"],"for":"45m","max_bytes":"10MiB","reason":"incident \"7\""}"#
        #expect(
            try request(text)
                == Bursts.Request(
                    processor: "sampling/x", rules: ["ui", "b"], duration: .seconds(2_700), budget: 10 << 20,
                    reason: #"incident "7""#))
    }

    @Test(arguments: [
        (#"{"for":"25h"}"#, #"for: found "25h", wanted a duration from 1s to 24h"#),
        (#"{"for":"soon"}"#, #"for: found "soon", wanted a duration from 1s to 24h"#),
        (#"{"max_bytes":"0"}"#, #"max_bytes: found "0", wanted a size from 1B to 1TiB"#),
        (#"{"rules":[]}"#, "rules: found 0, wanted 1 to 64"),
        (#"{"rule":"a"}"#, "found an unknown key, wanted one of processor, rules, for, max_bytes, reason"),
        (#"{"for":30}"#, "found something else than an object of strings, wanted JSON"),
        ("[]", "found something else than an object of strings, wanted JSON"),
        ("{} x", "found something behind the object, wanted nothing"),
    ])
    func saysWhatIsWrong(text: String, message: String) {
        #expect(problem(text) == message)
    }

    @Test func aReasonHasALimit() {
        let reason = String(repeating: "r", count: 257)
        #expect(problem(#"{"reason":"\#(reason)"}"#) == "reason: found 257 bytes, wanted at most 256")
    }

    @Test func beginsShowsAndStops() async throws {
        let bursts = Bursts()
        bursts.register(ComponentID(type: "sampling"), rules: ["ui"])
        let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
        let routes = OperationsRoute.bursts(bursts, clock: { now })
        #expect(routes.map(\.path) == ["/-/burst", "/-/burst", "/-/burst/stop"])
        #expect(routes.map(\.scope) == [.read, .admin, .admin])
        func ask(_ route: Int, _ body: String = "") async -> (status: UInt, body: String) {
            let method = routes[route].method
            let head = HTTPRequestHead(version: .http1_1, method: method, uri: routes[route].path)
            let request = HTTPRequest(head: head, body: .copying(Array(body.utf8)), startedAt: .now())
            let response = await routes[route].answer(request)
            return (response.status.code, String(buffer: response.body))
        }
        let quiet = #"{"processors":[{"processor":"sampling","rules":["ui"],"burst":null}]}"# + "\n"
        #expect(await ask(0).body == quiet)
        let begun = await ask(1, #"{"for":"90s","max_bytes":"5MiB","rules":["ui"],"reason":"r"}"#)
        let burst =
            #"{"began":"2026-02-03T04:00:00Z","rules":["ui"],"seconds_left":90,"bytes":0,"max_bytes":5242880,"reason":"r"}"#
        #expect(
            begun.body == #"{"processors":[{"processor":"sampling","rules":["ui"],"burst":\#(burst)}]}"# + "\n")
        #expect(await ask(0).body == begun.body)
        #expect(await ask(2).body == #"{"stopped":1}"# + "\n")
        #expect(await ask(0).body == quiet)
        let unknown = await ask(1, #"{"rules":["x"]}"#)
        #expect(unknown.status == 400 && unknown.body == #"{"error":"found rule \"x\", wanted one of ui"}"# + "\n")
        #expect(await ask(1, "x").status == 400)
    }
}
