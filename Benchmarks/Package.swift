// swift-tools-version: 6.1
import PackageDescription

// What reads the configuration stays outside.
let needingConfiguration = [
    "RedactionConfiguration", "RedactionConfiguration+Collector", "RedactionProcessor", "RedactionTelemetry",
].map { "Redaction/\($0).swift" }

let pricesAlone = [
    "AttributeMapping", "Budget", "BudgetWebhook", "CostConfiguration", "CostTelemetry", "PriceFile", "Repricing",
].map { "Pass/\($0).swift" }

let rulesAlone =
    ["Configuration", "Rule"].map { "Pass/Sampling\($0).swift" }
    + ["Configuration", "Processor"].map { "Pass/ProbabilisticSampler\($0).swift" }
    + ["Lexer", "Operator", "Parser", "Parser+Comparison", "Token"].map { "Condition/Condition\($0).swift" }

// A package of its own, so that what only benchmarks and fuzzing need never reaches those who build Weir.
//
// The folder Model imports nothing, so every target here compiles it as its own, through a symbolic link: at the speed of
// one module, and with access to what is internal.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.101.2")],
    targets: [
        .target(name: "CFuzzer"),
        .executableTarget(name: "FuzzProtobuf", dependencies: ["CFuzzer"]),
        .executableTarget(name: "FuzzJSON", dependencies: ["CFuzzer"]),
        .target(
            name: "CLibraries",
            linkerSettings: ["z", "deflate", "zstd", "pcre2-8", "crypto"].map { .linkedLibrary($0) }),
        .systemLibrary(name: "CHyperscan"),
        .executableTarget(
            name: "Redaction", dependencies: ["CHyperscan", "CLibraries"], exclude: needingConfiguration),
        .executableTarget(name: "Cost", exclude: pricesAlone),
        .executableTarget(name: "Sampling", exclude: rulesAlone),
        .executableTarget(
            name: "Parquet", dependencies: ["CLibraries"],
            exclude: [
                "System/Parquet/ParquetReader.swift", "System/Parquet/ParquetColumnReader.swift",
                "Tables/ParquetMessages.swift", "Tables/DailyRollups+Reading.swift", "Rows/HotRows+SampledOut.swift",
            ]),
        .target(name: "CEncryption", dependencies: ["CLibraries"], cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(name: "Encryption", dependencies: ["CEncryption", "CLibraries"]),
        .executableTarget(
            name: "FuzzRedaction", dependencies: ["CFuzzer", "CLibraries"], exclude: needingConfiguration),
        .target(name: "COTLP", linkerSettings: [.linkedLibrary("protobuf-c")]),
        // simdjson takes the widest vectors that the compiler allows, and should be measured at its best.
        .target(
            name: "CHotPath", dependencies: ["COTLP"], cSettings: [.unsafeFlags(["-O2"])],
            cxxSettings: [.unsafeFlags(["-O2", "-march=native"])], linkerSettings: [.linkedLibrary("simdjson")]),
        .executableTarget(name: "HotPath", dependencies: ["CHotPath", "COTLP"]),
        .systemLibrary(name: "CDeflate"),
        .executableTarget(
            name: "BareServer",
            dependencies: [
                "CDeflate",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
