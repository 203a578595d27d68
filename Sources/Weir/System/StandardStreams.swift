import Glibc

enum StandardStreams {
    /// Takes the numbers of those that the process was started without, as with `2>&-`. Else the first files that are
    /// opened would have them, and lines of the log or of output would be written into those.
    static func take() {
        // Against its use, so that reading or writing there fails, as where nothing is open.
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest number that is free, and so this one.
            _ = open("/dev/null", mode)
        }
    }
}
