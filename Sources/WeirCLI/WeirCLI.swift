import Weir

@main
struct WeirCLI {
    static func main() async {
        await Program.main()
    }
}
