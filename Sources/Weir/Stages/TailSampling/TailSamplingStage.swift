/// Decides for whole traces which spans go on. `docs/tail-sampling.md` says what it promises.
struct TailSamplingStage: Stage {
    typealias Configuration = TailSamplingConfiguration

    static let type = "tail_sampling"
    static let help = "Keeps or leaves out whole traces, once they are there."

    private let configuration: TailSamplingConfiguration
    private let context: Context
    private let telemetry: TailSamplingTelemetry

    init(_ configuration: TailSamplingConfiguration, _ context: Context) {
        self.configuration = configuration
        self.context = context
        telemetry = TailSamplingTelemetry(context)
        context.bursts.register(context.id, rules: configuration.policies.policies.map(\.name))
    }

    var complaints: [String] { telemetry.complaints }

    func run(_ course: StageCourse) async {
        let files: TailSamplingFiles
        do throws(FileError) {
            files = try TailSamplingFiles(configuration, course.directory)
        } catch {
            context.logger.critical("cannot decide about traces", metadata: ["error": "\(error)"])
            telemetry.complain("tail_sampling: cannot use its files: \(error)")
            while !course.reader.waiting.isClosed { await course.reader.wait(for: nil) }
            return
        }
        await TailSamplingRun(configuration, course, files, telemetry, context).run()
    }
}
