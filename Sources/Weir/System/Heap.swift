import CLibraries
import Synchronization

/// How the C library's heap treats memory that was freed. Swift allocates from it too.
enum Heap {
    /// Blocks of this size and above are mapped on their own and go back to the kernel when they are freed, so that the
    /// largest bodies leave nothing behind. Smaller ones are used again.
    private static let mappedBytes: Int32 = 1 << 20
    /// Free bytes that each arena may keep at its end: twice what a delivery lets go of at once. Given back after each
    /// delivery, the same pages would be cleared by the kernel for the requests that follow.
    private static let keptBytes: Int32 = 8 << 20

    /// Between two times that all of it is given back: for each GiB that takes tens of milliseconds.
    private static let pause = Duration.seconds(60)
    private static let lastReturn = Mutex<ContinuousClock.Instant?>(nil)

    /// Takes effect from here on; meant for the start of the process. Setting these also ends glibc's own adjusting of
    /// them, after which one large body would raise both for good.
    static func configure() {
        // 0 would mean that glibc does not know the option; then it does what it does for everybody.
        _ = mallopt(M_MMAP_THRESHOLD, mappedBytes)
        _ = mallopt(M_TRIM_THRESHOLD, keptBytes)
    }

    /// Gives the kernel what is free in all arenas, unless that was done just now. For who has freed much at once, on a
    /// thread whose arena may be another one's the next time: it would stay there.
    static func giveBack() {
        let instant = ContinuousClock.now
        let isDue = lastReturn.withLock { last in
            if let last, instant - last < pause { return false }
            last = instant
            return true
        }
        if isDue { _ = malloc_trim(0) }
    }
}
