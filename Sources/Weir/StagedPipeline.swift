/// A stage and what it stands between.
struct StagedPipeline: Sendable {
    let stage: any Stage
    let course: StageCourse

    func run() async { await stage.run(course) }
}
