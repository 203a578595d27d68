/// What is paid for. Each token, second or character of a call is of one of these and of no other.
enum UsageUnit: String, CaseIterable, Sendable {
    /// Text tokens that were neither read from the provider's cache nor written to it.
    case input
    /// Text tokens that are not reasoning.
    case output
    case cacheRead = "cache_read"
    /// Kept for five minutes, or for as long as the provider likes.
    case cacheWrite = "cache_write"
    /// Kept for an hour.
    case hourCacheWrite = "cache_write_1h"
    case reasoning
    case inputAudio = "input_audio"
    case outputAudio = "output_audio"
    case cacheReadAudio = "cache_read_audio"
    case inputImage = "input_image"
    case outputImage = "output_image"
    case cacheReadImage = "cache_read_image"
    case inputVideo = "input_video"
    case inputCharacter = "input_character"
    case outputCharacter = "output_character"
    case inputSecond = "input_second"
    case outputSecond = "output_second"
    case query

    /// ``allCases`` makes an array each time.
    static let all = allCases
    static let count = all.count

    /// Its place in ``Rates`` and ``Usage``.
    var index: Int {
        switch self {
        case .input: 0
        case .output: 1
        case .cacheRead: 2
        case .cacheWrite: 3
        case .hourCacheWrite: 4
        case .reasoning: 5
        case .inputAudio: 6
        case .outputAudio: 7
        case .cacheReadAudio: 8
        case .inputImage: 9
        case .outputImage: 10
        case .cacheReadImage: 11
        case .inputVideo: 12
        case .inputCharacter: 13
        case .outputCharacter: 14
        case .inputSecond: 15
        case .outputSecond: 16
        case .query: 17
        }
    }

    /// Whether it is among the input tokens by which the price of a long context goes.
    var isInputToken: Bool {
        switch self {
        case .input, .cacheRead, .cacheWrite, .hourCacheWrite, .inputAudio, .inputImage, .inputVideo, .cacheReadAudio,
            .cacheReadImage:
            true
        case .output, .reasoning, .outputAudio, .outputImage, .inputCharacter, .outputCharacter, .inputSecond,
            .outputSecond, .query:
            false
        }
    }

    /// What it is charged as where a price list does not name it.
    var substitute: UsageUnit? {
        switch self {
        case .cacheRead, .cacheWrite, .inputAudio, .inputImage, .inputVideo: .input
        case .hourCacheWrite: .cacheWrite
        case .reasoning, .outputAudio, .outputImage: .output
        case .cacheReadAudio, .cacheReadImage: .cacheRead
        case .outputCharacter: .inputCharacter
        case .outputSecond: .inputSecond
        case .input, .output, .inputCharacter, .inputSecond, .query: nil
        }
    }
}
