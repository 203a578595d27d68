import Glibc

/// What the kernel says of this process, under the OpenTelemetry Collector's names.
enum ProcessMetrics {
    static func register(in registry: MetricRegistry) {
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
        registry.observe(
            "otelcol_process_cpu_seconds", kind: .counter, help: "Total CPU user and system time in seconds."
        ) {
            read("/proc/self/stat").flatMap(ProcessStat.init).map { Double($0.cpuTicks) / ticksPerSecond }
        }
        registry.observe(
            "otelcol_process_memory_rss", kind: .gauge, help: "Total physical memory (resident set size) in bytes."
        ) {
            read("/proc/self/statm").flatMap { number(1, in: $0) }.map { $0 * pageSize }
        }
        registry.observe("otelcol_process_uptime", kind: .counter, help: "Uptime of the process in seconds.") {
            guard let stat = read("/proc/self/stat").flatMap(ProcessStat.init),
                let sinceBoot = read("/proc/uptime").flatMap({ number(0, in: $0) })
            else { return nil }
            // Both clocks run in steps of a tick, and need not agree on the last one.
            return max(0, sinceBoot - Double(stat.startTicks) / ticksPerSecond)
        }
    }

    /// A number in a line of numbers.
    private static func number(_ index: Int, in text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.indices.contains(index) ? Double(words[index]) : nil
    }

    /// The first 4 KiB of a file of the kernel's, which are all of it; nil if it cannot be read.
    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }
}

/// The line of `/proc/self/stat`, proc_pid_stat(5).
struct ProcessStat: Equatable {
    /// Time spent in user and kernel mode, in clock ticks.
    let cpuTicks: UInt64
    /// When the process started, in clock ticks after the boot.
    let startTicks: UInt64

    /// Nil if `line` is not such a line.
    init?(_ line: String) {
        // The second field is the program's name in parentheses, and a name may hold spaces and parentheses itself.
        guard let nameEnd = line.lastIndex(of: ")") else { return nil }
        let fields = line[nameEnd...].dropFirst().split(whereSeparator: \.isWhitespace)
        // Counted from the third field: utime is the 14th of the manual, stime the 15th, starttime the 22nd.
        guard fields.count > 19, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
            let start = UInt64(fields[19])
        else { return nil }
        cpuTicks = user &+ system
        startTicks = start
    }
}
