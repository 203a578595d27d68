import NIOHTTP1
import Testing

@testable import Weir

@Suite struct HTTPMessagesTests {
    @Test(arguments: [
        ("/v1/traces", "/v1/traces"), ("/v1/traces?a=/b", "/v1/traces"), ("/", "/"), ("*", "*"),
        ("http://collector:4318/v1/traces?a=b", "/v1/traces"), ("HTTP://[::1]:4318/v1/traces", "/v1/traces"),
        ("http://collector", "/"), ("http://collector?a=b", "/"), ("/a/http://b/c", "/a/http://b/c"),
    ])
    func findsThePathInEveryFormOfATarget(target: String, path: String) {
        #expect(HTTPRequestHead(version: .http1_1, method: .POST, uri: target).path == path)
    }
}
