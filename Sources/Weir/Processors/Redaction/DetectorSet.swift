/// A set of detectors, and what text around a number hints at.
struct DetectorSet: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt64

    static let all = DetectorSet(rawValue: 1 << UInt64(Detector.allCases.count) - 1)
    /// Words that stand near telephone numbers, and near much else: "call", "number".
    static let phoneLoosely = DetectorSet(rawValue: 1 << 63)

    /// Words that stand in front of versions and the numbers of chapters.
    static let version = DetectorSet(rawValue: 1 << 62)

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ detectors: Detector...) {
        self.init(detectors)
    }

    init(_ detectors: [Detector]) {
        rawValue = detectors.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    @inline(__always)
    func has(_ detector: Detector) -> Bool {
        rawValue & 1 << UInt64(detector.rawValue) != 0
    }
}
