import Testing

@testable import Weir

@Suite struct ObjectCredentialsTests {
    private let text = """
        # ours
        [default]
        aws_access_key_id = one
        aws_secret_access_key=two=
        ; more
        [profile]
        aws_access_key_id\t=\tthree\r
        aws_secret_access_key = four
        aws_session_token = five
        [half]
        aws_access_key_id = six
        """

    @Test func readsTheProfileThatIsAskedFor() throws {
        let first = try ObjectCredentials(parsing: text, profile: "default")
        #expect(first == ObjectCredentials(id: "one", secret: "two=", sessionToken: nil))
        let second = try ObjectCredentials(parsing: text, profile: "profile")
        #expect(second == ObjectCredentials(id: "three", secret: "four", sessionToken: "five"))
    }

    @Test(arguments: ["half", "none", ""]) func saysThatAProfileIsNotWhole(profile: String) {
        #expect(
            throws: ConfigError(
                found: "a file without aws_access_key_id and aws_secret_access_key in [\(profile)]", wanted: "both")
        ) { try ObjectCredentials(parsing: text, profile: profile) }
    }

    @Test func takesAChangedFileAndKeepsTheLastOnesWhereItIsBroken() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/credentials"
        func write(_ text: String) throws {
            try Directory.replace(path, with: Array(text.utf8))
            try Directory.setMode(ofFile: path, to: 0o600)
        }
        try write(text)
        let cache = ObjectCredentialsCache(.file(path, profile: "default"))
        #expect(try cache.current().id == "one")
        try write("[default]\naws_access_key_id=new\naws_secret_access_key=new")
        #expect(try cache.current().id == "new")
        try write("[default]\n")
        #expect(try cache.current().id == "new")
    }

    @Test func refusesAFileThatOthersMayRead() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/credentials"
        try Directory.replace(path, with: Array(text.utf8))
        try Directory.setMode(ofFile: path, to: 0o644)
        #expect(throws: ConfigError("found mode 0644, wanted 0600: others may read the keys")) {
            try ObjectCredentials.Source.file(path, profile: "default").read()
        }
    }
}
