import CLibraries

/// How the C library's heap treats memory that was freed. Swift allocates from it too.
enum Heap {
    /// Blocks of this size and above are mapped on their own and go back to the kernel when they are freed, so that the
    /// largest bodies leave nothing behind. Smaller ones are used again.
    private static let mappedBytes: Int32 = 1 << 20
    /// Free bytes that each arena may keep at its end: twice what a delivery lets go of at once. Given back after each
    /// delivery, the same pages would be cleared by the kernel for the requests that follow.
    private static let keptBytes: Int32 = 8 << 20

    /// Takes effect from here on; meant for the start of the process. Setting these also ends glibc's own adjusting of
    /// them, after which one large body would raise both for good.
    static func configure() {
        // 0 would mean that glibc does not know the option; then it does what it does for everybody.
        _ = mallopt(M_MMAP_THRESHOLD, mappedBytes)
        _ = mallopt(M_TRIM_THRESHOLD, keptBytes)
    }
}
