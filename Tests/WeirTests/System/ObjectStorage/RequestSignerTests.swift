import Testing

@testable import Weir

/// The examples of "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" in the Amazon S3
/// API Reference.
@Suite struct RequestSignerTests {
    private static let host = (name: "host", value: "examplebucket.s3.amazonaws.com")
    private static let date = Timestamp(nanoseconds: 1_369_353_600 * 1_000_000_000)

    private func signer(_ dialect: ObjectDialect = .s3, token: String? = nil) -> RequestSigner {
        RequestSigner(
            dialect: dialect, region: dialect.defaultRegion,
            credentials: ObjectCredentials(
                id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: token))
    }

    private func authorization(
        _ method: String, _ path: String, _ query: [(name: String, value: String)] = [],
        _ headers: [(name: String, value: String)] = [], _ body: String = ""
    ) -> String? {
        signer().sign(
            method, path, query: query, headers: [Self.host] + headers, payload: Digest.sha256(Array(body.utf8)),
            at: Self.date
        ).first { $0.name == "authorization" }?.value
    }

    private let credential = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "

    @Test func signsAGetOfAnObject() {
        #expect(
            authorization("GET", "/test.txt", [], [("range", "bytes=0-9")]) == credential
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func signsAPutOfAnObject() {
        let headers = [
            (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]
        let path = RequestSigner.encode("/test$file.text", isPath: true)
        #expect(
            authorization("PUT", path, [], headers, "Welcome to Amazon S3.") == credential
                + "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
                + "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func signsAQueryWithoutAValue() {
        #expect(
            authorization("GET", "/", [("lifecycle", "")]) == credential
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                + "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func sortsTheQuery() {
        #expect(
            authorization("GET", "/", [("prefix", "J"), ("max-keys", "2")]) == credential
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                + "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    /// Compared with an independent computation, since AWS has no such example.
    @Test func signsTheTokenOfTemporaryCredentials() {
        let fields = signer(token: "a/token==").sign(
            "GET", "/", query: [], headers: [Self.host], payload: Digest.sha256([]), at: Self.date)
        #expect(fields.contains { $0.name == "x-amz-security-token" && $0.value == "a/token==" })
        #expect(
            fields.last?.value.hasSuffix("fe303baaa9f09e113fd94d7e250b4e38885b24e97e5e55c6d48329c6524954b9") ?? false)
    }

    /// The same.
    @Test func signsWithGooglesWords() {
        let fields = signer(.gcs).sign(
            "GET", "/traces/a%3Db", query: [], headers: [("host", "storage.googleapis.com")],
            payload: Digest.sha256([]), at: Self.date)
        #expect(
            fields.last?.value == "GOOG4-HMAC-SHA256 "
                + "Credential=AKIAIOSFODNN7EXAMPLE/20130524/auto/storage/goog4_request, "
                + "SignedHeaders=host;x-goog-content-sha256;x-goog-date, "
                + "Signature=1ea76cd730b0ad8ae60e2d41aade737fe3aa62ba8d096a088f6ecec6c10a805e")
    }

    @Test func encodesAllButUnreservedCharacters() {
        #expect(RequestSigner.encode("tenant=a%20/b+ü~-._", isPath: true) == "tenant%3Da%2520/b%2B%C3%BC~-._")
        #expect(RequestSigner.encode("a/b c") == "a%2Fb%20c")
    }
}
