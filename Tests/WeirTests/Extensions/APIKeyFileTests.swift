import Testing

@testable import Weir

@Suite struct APIKeyFileTests {
    private static let hash = String(repeating: "0a", count: 32)

    private func key(_ keys: String) -> String { "keys: [ { \(keys) } ]" }

    @Test func readsNameTenantScopesAndHash() throws {
        let file = try #require(
            read(
                APIKeyFile.self,
                key("name: backend, tenant: shop-1, scopes: [ingest, read], sha256: \"\(Self.hash.uppercased())\"")))
        #expect(file.keys.map(\.identity) == [Identity(name: "backend", tenant: "shop-1", scopes: [.ingest, .read])])
        #expect(file.keys.first?.proof == .hash([UInt8](repeating: 0x0A, count: 32)))
    }

    @Test(arguments: ["..", ".", ".hidden", "a/b", "../a", "a b", "", "é", String(repeating: "a", count: 65)])
    func refusesATenantThatIsNoNameOfADirectory(tenant: String) {
        let yaml = key("name: n, tenant: \"\(tenant)\", scopes: [ingest], sha256: \"\(Self.hash)\"")
        check(
            yaml, APIKeyFile.init,
            fails: "1: keys[0].tenant: found \(tenant.quotedForMessage), wanted a tenant: 1...64 letters, digits, _, - "
                + "and ., without a dot in front")
    }

    @Test func aKeyThatStandsInPlaceOfItsHashIsNotRepeated() {
        let secret = APIKey.draw()
        check(
            key("name: n, tenant: t, scopes: [ingest], sha256: \(secret)"), APIKeyFile.init,
            fails: "1: keys[0].sha256: found 69 characters, wanted 64 hexadecimal digits, as weir api-key new prints")
    }

    @Test func refusesScopesThatAreNone() {
        check(
            key("name: n, tenant: t, scopes: [ingst], sha256: \"\(Self.hash)\""), APIKeyFile.init,
            fails: "1: keys[0].scopes[0]: found \"ingst\", wanted one of ingest, read, reveal, admin, beacon "
                + "(did you mean \"ingest\"?)")
        check(
            key("name: n, tenant: t, scopes: [], sha256: \"\(Self.hash)\""), APIKeyFile.init,
            fails: "1: keys[0].scopes: found 0 entries, wanted 1...5")
    }

    @Test func namesAndHashesStandOnce() {
        let entry = "{ name: n, tenant: t, scopes: [read], sha256: \"\(Self.hash)\" }"
        check(
            "keys:\n- \(entry)\n- \(entry)", APIKeyFile.init,
            fails: "3: keys[1].name: is there a second time, wanted a name for each key",
            "3: keys[1].sha256: is there a second time, wanted each key once")
    }

    @Test func twoKeysThatAreInErrorAreNotOneKeyTwice() {
        let entry = { (name: String) in "{ name: \(name), tenant: t, scopes: [read], sha256: \"12\" }" }
        let problem = "sha256: found 2 characters, wanted 64 hexadecimal digits, as weir api-key new prints"
        check(
            "keys:\n- \(entry("a"))\n- \(entry("b"))", APIKeyFile.init, fails: "2: keys[0].\(problem)",
            "3: keys[1].\(problem)")
    }

    @Test func aCertificateStandsInPlaceOfAKey() throws {
        let file = try #require(
            read(APIKeyFile.self, key("name: n, tenant: shop, scopes: [ingest], certificate: \"URI:spiffe://x/shop\"")))
        let table = APIKeyTable(file.keys)
        let names = ["CN=any", "URI:spiffe://x/shop"]
        #expect(table.identity(of: ClientCertificate(names: names))?.tenant == "shop")
        for name in ["CN=any", "spiffe://x/shop", "DNS:spiffe://x/shop", "URI:spiffe://x/shop2", ""] {
            #expect(table.identity(of: ClientCertificate(names: [name])) == nil)
        }
        #expect(table.identity(of: "URI:spiffe://x/shop") == nil, "a name is no key")
        check(
            key("name: n, tenant: t, scopes: [read], certificate: CN=a, sha256: \"\(Self.hash)\""), APIKeyFile.init,
            fails: "1: keys[0].certificate: found sha256 too, wanted one of them")
        check(
            key("name: n, tenant: t, scopes: [read], certificate: \"\""), APIKeyFile.init,
            fails: "1: keys[0].certificate: found an empty name, wanted one of a certificate")
        check(
            key("name: n, tenant: t, scopes: [read]"), APIKeyFile.init,
            fails: "1: keys[0]: found no sha256, wanted it or certificate")
        let entry = "{ name: NAME, tenant: t, scopes: [read], certificate: CN=a }"
        check(
            "keys:\n- \(entry.replacing("NAME", with: "a"))\n- \(entry.replacing("NAME", with: "b"))", APIKeyFile.init,
            fails: "3: keys[1].certificate: is there a second time, wanted each key once")
    }

    @Test func theCommandPrintsAnEntryThatTheFileTakes() throws {
        let command = try APIKeyNewCommand.parse(["--tenant", "shop", "--scope", "ingest", "--scope", "read"])
        let key = APIKey.draw()
        let entry = command.entry(of: key)
        #expect(!entry.contains(key))
        let file = try #require(read(APIKeyFile.self, entry))
        let table = APIKeyTable(file.keys)
        #expect(table.identity(of: key) == Identity(name: "shop", tenant: "shop", scopes: [.ingest, .read]))
        #expect(table.identity(of: key + "0") == nil)
        #expect(table.identity(of: "") == nil)
        let refused = [
            ["--tenant", "..", "--scope", "read"], ["--tenant", "a"], ["--tenant", "a", "--scope", "all"],
            ["--tenant", "a", "--scope", "read", "--scope", "beacon"],
        ]
        for bad in refused {
            #expect(throws: (any Error).self) { try APIKeyNewCommand.parse(bad) }
        }
    }

    @Test func keysAreLongAndNeverTheSame() {
        let keys = Set((0..<100).map { _ in APIKey.draw() })
        #expect(keys.count == 100)
        #expect(keys.allSatisfy { $0.utf8.count == 69 && $0.hasPrefix("weir_") })
    }

    private func read(_ type: APIKeyFile.Type, _ yaml: String) -> APIKeyFile? {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        let file = top.descend(into: root, path: "", APIKeyFile.init).value
        #expect(top.diagnostics.lines == [])
        return file
    }
}
