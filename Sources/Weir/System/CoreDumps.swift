import Glibc

/// Keeps what the process knows out of what is written of its memory when it crashes.
enum CoreDumps {
    // core(5): "the RLIMIT_CORE limit is not enforced for core dumps that are piped to a program"; but with a limit of
    // one byte, which is too little for a file as well, the kernel starts no program either.
    static func forbid() {
        var limit = rlimit(rlim_cur: 1, rlim_max: 1)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        // Where Swift's runtime finds its backtracer, these start it, and it prints the memory that registers point to.
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
    }
}
