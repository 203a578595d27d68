import Testing

@testable import Weir

/// Which tokens are believed. The keys and tokens below were made once with Python's `cryptography`; the private keys
/// are gone.
@Suite struct JWTPolicyTests {
    private static let now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)
    private static let secret = [UInt8](repeating: 7, count: 32)
    private static let sound: [String: String] = [
        "iss": #""https://login.test""#, "aud": #"["other","weir"]"#, "sub": #""backend""#, "tenant": #""shop""#,
        "scope": #""openid ingest""#, "exp": "1800000100",
    ]

    private var policy: JWTPolicy {
        var policy = JWTPolicy()
        (policy.issuer, policy.audience) = ("https://login.test", "weir")
        policy.algorithms = [.hs256, .rs256, .es256]
        return policy
    }

    private static func keys(_ keys: String...) throws -> JSONWebKeys {
        try JSONWebKeys(parsing: #"{"keys":[\#(keys.joined(separator: ","))]}"#, allowsSecrets: true)
    }

    private static let rsa = #"{"kty":"RSA","kid":"r1","alg":"RS256","use":"sig","e":"AQAB","n":"\#(Self.modulus)"}"#
    private static let curve = #"{"kty":"EC","crv":"P-256","kid":"e1","x":"\#(Self.x)","y":"\#(Self.y)"}"#
    private static let shared = #"{"kty":"oct","kid":"h1","k":"\#(Base64URL.encode(Self.secret))"}"#

    /// A token signed with HMAC.
    private func token(
        _ changes: [String: String?] = [:], head: String = #"{"alg":"HS256","kid":"h1"}"#, secret: [UInt8] = Self.secret
    ) -> String {
        let claims = Self.sound.merging(changes.compactMapValues { $0 }) { $1 }.filter { changes[$0.key] != .some(nil) }
        return signed(head, "{" + claims.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}", secret)
    }

    private func signed(_ head: String, _ claims: String, _ secret: [UInt8] = Self.secret) -> String {
        let text = Base64URL.encode(Array(head.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
        let hash = Array(text.utf8).withUnsafeBytes { KeyedHash(key: secret).hash($0) }
        return text + "." + Base64URL.encode(hash)
    }

    private func problem(
        _ token: String, _ keys: JSONWebKeys? = nil, _ policy: JWTPolicy? = nil, at now: Timestamp = Self.now
    ) throws -> JWTPolicy.Problem? {
        let keys = try keys ?? Self.keys(Self.rsa, Self.curve, Self.shared)
        do throws(JWTPolicy.Problem) {
            _ = try (policy ?? self.policy).verify(token, keys, at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func believesEachAlgorithmWithItsKey() throws {
        let keys = try Self.keys(Self.rsa, Self.curve, Self.shared)
        for text in [token(), Self.rsToken, Self.esToken] {
            let verified = try policy.verify(text, keys, at: Self.now)
            #expect(verified.identity == Identity(name: "backend", tenant: "shop", scopes: [.ingest]))
        }
    }

    @Test func doesNotLetATokenChooseHowItIsChecked() throws {
        #expect(try problem(token(head: #"{"alg":"none"}"#)) == .algorithm)
        for name in ["HS384", "hs256", "None", "", "RS512"] {
            #expect(try problem(token(head: #"{"alg":"\#(name)"}"#)) == .algorithm)
        }
        // The public key of the service, taken for a secret.
        let modulus = try #require(Base64URL.decode(Array(Self.modulus.utf8)))
        for secret in [modulus, Array(Self.rsa.utf8), Array(Self.modulus.utf8)] {
            let forged = token(head: #"{"alg":"HS256","kid":"r1"}"#, secret: secret)
            #expect(try problem(forged, Self.keys(Self.rsa)) == .unknownKey)
            #expect(try problem(forged, Self.keys(Self.rsa, Self.shared)) == .unknownKey)
        }
        var pinned = policy
        pinned.algorithms = [.es256]
        #expect(try problem(token(), nil, pinned) == .algorithm)
        #expect(try problem(Self.rsToken, nil, pinned) == .algorithm)
        #expect(try problem(Self.esToken, nil, pinned) == nil)
    }

    @Test func refusesSignaturesThatAreNone() throws {
        for sound in [token(), Self.rsToken, Self.esToken] {
            let parts = sound.split(separator: ".").map(String.init)
            let signature = try #require(Base64URL.decode(Array(parts[2].utf8)))
            var wrong = [
                [], [UInt8](repeating: 0, count: signature.count), Array(signature.dropLast()), signature + [0],
            ]
            for index in signature.indices where index.isMultiple(of: 7) {
                var changed = signature
                changed[index] ^= 1
                wrong.append(changed)
            }
            for signature in wrong {
                let forged = parts[0] + "." + parts[1] + "." + Base64URL.encode(signature)
                #expect(try problem(forged) == .signature)
            }
            let other = Base64URL.encode(Array(#"{"iss":"https://login.test","tenant":"bank"}"#.utf8))
            #expect(try problem(parts[0] + "." + other + "." + parts[2]) == .signature)
        }
        #expect(try problem(token(secret: [UInt8](repeating: 8, count: 32))) == .signature)
        #expect(try problem(token(head: #"{"alg":"HS256","kid":"h2"}"#)) == .unknownKey)
        #expect(try problem(token(), JSONWebKeys.none) == .unknownKey)
    }

    @Test func refusesWhatIsNoToken() throws {
        let sound = token()
        for end in 0..<sound.utf8.count where end.isMultiple(of: 3) {
            #expect(try problem(String(sound.prefix(end))) != nil, "\(end) characters")
        }
        for text in ["", ".", "..", "...", "a.b.c", sound + ".x", sound + "=", " " + sound, "\(sound)\n"] {
            #expect(try problem(text) != nil, "\(text)")
        }
        for head in [
            "[]", "1", "{}", #"{"alg":1}"#, #"{"alg":"HS256","alg":"HS256"}"#, #"{"alg":"HS256","\u0061lg":"none"}"#,
            #"{"alg":"HS256","crit":["exp"]}"#, #"{"alg":"HS256","typ":"logout+jwt"}"#, "{", #"{"alg":"HS256"}x"#,
        ] {
            #expect(try problem(token(head: head)) == .malformed, "\(head)")
        }
        for claims in ["", "[]", "null", #"{"iss":"https://login.test","iss":"https://other.test"}"#] {
            #expect(try problem(signed(#"{"alg":"HS256"}"#, claims)) == .malformed, "\(claims)")
        }
        let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        #expect(try problem(token(["x": deep])) == .malformed)
    }

    @Test func wantsIssuerAudienceTimeAndTenant() throws {
        let wrong: [(claim: String, values: [String?], problem: JWTPolicy.Problem)] = [
            ("iss", [nil, #""https://login.test/""#, "1", "null"], .issuer),
            ("aud", [nil, #""Weir""#, "[]", "[1]", #""weir2""#], .audience),
            ("exp", [nil, #""1800000100""#, "null"], .noExpiry),
            ("exp", ["1799999970", "0", "-1"], .expired),
            ("nbf", ["1800000031"], .notYet),
            (
                "tenant", [nil, #""""#, #""..""#, #""../shop""#, #""a/b""#, #""shop\u0000""#, "1", #"["shop"]"#],
                .tenant
            ),
        ]
        for (claim, values, wanted) in wrong {
            for value in values {
                #expect(try problem(token([claim: value])) == wanted, "\(claim): \(value ?? "missing")")
            }
        }
        for (claim, value) in [
            ("aud", #""weir""#), ("exp", "1799999971"), ("exp", "1.8000001e9"), ("nbf", "1800000030"), ("sub", "1"),
        ] {
            #expect(try problem(token([claim: value])) == nil, "\(claim): \(value)")
        }
    }

    @Test func readsScopesFromATextOrAList() throws {
        let keys = try Self.keys(Self.shared)
        var policy = policy
        func scopes(_ value: String?) throws -> Set<Scope> {
            try policy.verify(token(["scope": value]), keys, at: Self.now).identity.scopes
        }
        #expect(try scopes(#"["ingest","read admin","x"]"#) == [.ingest, .read, .admin])
        #expect(try scopes(nil) == [])
        policy.scopePrefix = "weir:"
        #expect(try scopes(#""ingest weir:read weir:""#) == [.read])
        policy.scopes = [.beacon]
        #expect(try scopes(#""weir:read""#) == [.read, .beacon])
        policy.scopeClaim = "https://weir.test/scopes"
        #expect(try scopes(#""weir:read""#) == [.beacon])
    }

    @Test func refusesKeysThatAreTooWeak() {
        for (key, allows) in [
            (#"{"kty":"RSA","e":"AQAB","n":"\#(Self.smallModulus)"}"#, true),
            (#"{"kty":"RSA","e":"AQ","n":"\#(Self.modulus)"}"#, true),
            (#"{"kty":"RSA","e":"AQAA","n":"\#(Self.modulus)"}"#, true), (#"{"kty":"RSA"}"#, true),
            (#"{"kty":"EC","crv":"P-256","x":"\#(Self.x)","y":"\#(Self.x)"}"#, true),
            (#"{"kty":"EC","crv":"P-256","x":"\#(Self.x)"}"#, true), (#"{"kty":"oct","k":"c2hvcnQ"}"#, true),
            (Self.shared, false),
        ] {
            #expect(throws: ConfigError.self, "\(key)") {
                try JSONWebKeys(parsing: #"{"keys":[\#(key)]}"#, allowsSecrets: allows)
            }
        }
        for text in ["", "{}", "[]", #"{"keys":[]}"#, #"{"keys":[{"kty":"OKP"}]}"#, #"{"keys":{}}"#] {
            #expect(throws: ConfigError.self) { try JSONWebKeys(parsing: text, allowsSecrets: true) }
        }
        let many = [String](repeating: Self.shared, count: 101).joined(separator: ",")
        #expect(throws: ConfigError.self) { try JSONWebKeys(parsing: #"{"keys":[\#(many)]}"#, allowsSecrets: true) }
    }

    @Test func oneKeyThatCannotBeUsedLeavesTheOthers() throws {
        let keys = try Self.keys(
            #"{"kty":"RSA","kid":"small","e":"AQAB","n":"\#(Self.smallModulus)"}"#, Self.shared,
            #"{"kty":"OKP","crv":"Ed25519","kid":"new\n"}"#, #"{"kty":"RSA","use":"enc"}"#, "3",
            #"{"kty":"RSA","alg":"RS512","kid":"long","e":"AQAB","n":"\#(Self.modulus)"}"#)
        #expect(keys.entries.count == 1)
        #expect(
            keys.omitted == [
                #"keys[0] (kid "small"): found a key that is broken or too small, "#
                    + "wanted RSA of 2048 to 8192 bits, a point of P-256, or a secret of 32 bytes or more",
                #"keys[2] (kid "new "): found a key of kind "OKP Ed25519", wanted RSA, EC P-256 or oct"#,
                #"keys[4]: found a key of kind "", wanted RSA, EC P-256 or oct"#,
                #"keys[5] (kid "long"): found a key for the algorithm "RS512", wanted RS256"#,
            ])
        #expect(try policy.verify(token(), keys, at: Self.now).identity.tenant == "shop")
    }

    @Test func isAskedWhoSendsARequest() {
        #expect(JWTExtension.role == .authenticator)
    }

    @Test func leavesKeysForOthersOut() throws {
        let keys = try Self.keys(
            Self.shared, #"{"kty":"RSA","use":"enc","e":"AQAB","n":"\#(Self.modulus)"}"#,
            #"{"kty":"OKP","crv":"Ed25519"}"#,
            #"{"kty":"RSA","alg":"PS256","e":"AQAB","n":"\#(Self.modulus)"}"#)
        #expect(keys.entries.map(\.id) == ["h1"])
    }

    static let modulus =
        "vJfeZW2h3qmOwktUtLNQWuTbL7Sgbs26Qkmf8WcDr-a5XbDXkGTOAW8lt90uHEsB3VOEmgdjcX_-5JeTQiTiwnIm-fNTJr5A"
        + "6e4qW8WLLuOuI6sNWlDqT3BdNmCugZxjyXxtLHFKyE30W3Y6ykBgbK8BSgNzrx-2RPRKAngdLlNV-BAEM5nlZKX3llHB5NrT"
        + "7UHQLRdlPykB_ENOfIRXzMMh7jnidFcq235OMEOkMAU7RWTvMBSR_1lF8tnuqRzQUEPjajICYJgZGTpJKnPVq4Jw018bTh_z"
        + "htcFh_0xFgSrGbb0xqZD8DcuS-FsKtS0fPADX9aEtqKtU4R3Q2HDsQ"

    static let smallModulus =
        "2D6D2Ov2sl2_vyHZ5-T1tQR8qLnaxXTHU3WD7tlkroFYG1nsWZ5D-Ovf2oR9Eb1_DKBMEwz_9nAhLTYsT1Ymhek9YiN5KBSB"
        + "Wto_vei210VUEkJlKCPcq0MPjsUrYIdEpdde_bvA5zNE8WfbhBuGyVCt59Pn1na1CoMIdxwscFM"

    static let x = "uciyd2HgodtVQitHJZYrIqD-5mNaR0rAoVL7EnXzjzA"
    static let y = "ILgWN-pB1yxlyBrPiFsOl3aXO-lhRvTzurd4z8pxRyc"

    static let rsToken =
        "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9sb2dpbi50ZXN0I"
        + "iwgImF1ZCI6IFsib3RoZXIiLCAid2VpciJdLCAic3ViIjogImJhY2tlbmQiLCAidGVuYW50IjogInNob3AiLCAic2NvcGUiO"
        + "iAib3BlbmlkIGluZ2VzdCIsICJleHAiOiA0MTAyNDQ0ODAwfQ.tnvr2iV2PGUH3It0ZpWP8fmE-k1mk1sbR06c85QGIqSCz9"
        + "KgrAhnr9x4AR__HTsOqZlObQIVzKdWDHYFolAfZ1qkPBoFrjXENNUcbXBFZNcobimQyRhZFh47Y9lkTNYeOkuJlTpmtWKM1q"
        + "NUxbJBaUAagmFc52368yzI8gEmzmuWLd7nnn7KLgtW4ov07y3cxvmK6RHaK-tlYld8fqNCTofOJAMq6F5Aa_xN10neogjoUM"
        + "42HL05QGTSjfDfA03DDAHpb6IyjNY0ef3WtID9uc4voTx-41XT9T-aNN52g-aPLkUh1BIzJdw_ivL6rpCUqm2R2XL4uYfM9_"
        + "x0u2UJfg"

    static let esToken =
        "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9sb2dpbi50ZXN0I"
        + "iwgImF1ZCI6IFsib3RoZXIiLCAid2VpciJdLCAic3ViIjogImJhY2tlbmQiLCAidGVuYW50IjogInNob3AiLCAic2NvcGUiO"
        + "iAib3BlbmlkIGluZ2VzdCIsICJleHAiOiA0MTAyNDQ0ODAwfQ.LWUbG3nseQ0Q3DDOWiHuKuFCFtTBD2MEQ15h9tgUwYWcaq"
        + "9sy0j9G-r5MfGTeuz7xzblUn-yEu0WcrI2ZrJHqw"
}
