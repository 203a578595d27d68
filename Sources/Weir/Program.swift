/// The collector as a program.
public enum Program {
    static let version = "0.1.0"

    /// Does what the command line says, and exits.
    public static func main() async {
        await WeirCommand.runToTheEnd()
    }
}
