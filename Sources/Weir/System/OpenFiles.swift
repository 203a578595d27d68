import Glibc

/// How many files and connections the process may have open.
enum OpenFiles {
    /// Where fewer may be, connections alone could leave none for the journal: two listeners and what is behind them.
    static let enough = 10_000

    /// Takes all that the system allows. A shell gives 1024, fewer than one listener's connections.
    /// - Returns: how many.
    static func allowAll() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        var wanted = limit
        wanted.rlim_cur = limit.rlim_max
        return Int(clamping: setrlimit(resource, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur)
    }
}
