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
        defer { telemetry.end() }
        guard let decisions = await decisions(course) else { return }
        await TailSamplingRun(configuration, course, decisions, telemetry, context).run()
    }

    /// Tries until they can be kept: what was acknowledged waits in the journal.
    /// - Returns: nil where the stage is to end before that.
    private func decisions(_ course: StageCourse) async -> RecentLines? {
        var isFirst = true
        while true {
            do throws(FileError) {
                let decisions = try TailSamplingFiles.decisions(configuration, course.directory)
                if !isFirst { telemetry.complain(nil) }
                return decisions
            } catch {
                if isFirst { context.logger.critical("cannot decide about traces", metadata: ["error": "\(error)"]) }
                telemetry.complain("cannot use its files: \(error)")
            }
            isFirst = false
            guard !course.reader.waiting.isClosed, (try? await Task.sleep(for: .seconds(1))) != nil else { return nil }
        }
    }
}
