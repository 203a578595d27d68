/// A command that was given rightly cannot do what it is to do, by what it has found. The text is printed, and the exit
/// status is 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
