/// Whose words a store speaks: those of Amazon S3, or those of Google Cloud Storage's XML API with HMAC keys. They are
/// the same protocol with other names, and no request may have names of both.
enum ObjectDialect: String, CaseIterable, Sendable {
    case s3, gcs

    var algorithm: String { self == .s3 ? "AWS4-HMAC-SHA256" : "GOOG4-HMAC-SHA256" }
    /// What stands in front of the secret in the first key.
    var secretPrefix: String { self == .s3 ? "AWS4" : "GOOG4" }
    var service: String { self == .s3 ? "s3" : "storage" }
    var terminator: String { self == .s3 ? "aws4_request" : "goog4_request" }
    /// Of header fields.
    var prefix: String { self == .s3 ? "x-amz-" : "x-goog-" }

    var defaultRegion: String { self == .s3 ? "us-east-1" : "auto" }

    func host(in region: String) -> String {
        self == .s3 ? "s3.\(region).amazonaws.com" : "storage.googleapis.com"
    }

    /// A put that succeeds only where nothing has the name.
    var ifAbsent: (name: String, value: String) {
        self == .s3 ? ("if-none-match", "*") : ("x-goog-if-generation-match", "0")
    }

    /// A put that succeeds only in place of what an answer was about.
    func ifStill(_ version: String) -> (name: String, value: String) {
        (self == .s3 ? "if-match" : "x-goog-if-generation-match", version)
    }

    /// A copy that succeeds only of what an answer was about.
    var ifSourceIsStill: String {
        self == .s3 ? "x-amz-copy-source-if-match" : "x-goog-copy-source-if-generation-match"
    }

    /// The header field of an answer that tells which content it is about.
    var version: String { self == .s3 ? "etag" : "x-goog-generation" }
}
