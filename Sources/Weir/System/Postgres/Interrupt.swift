import CLibraries
import Glibc

/// Wakes a thread that waits for a socket, from any other thread. Stays raised until it is reset.
final class Interrupt: Sendable {
    /// Readable while it is raised. Negative where the process has too many files open: poll(2) ignores it then.
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    deinit {
        close(descriptor)
    }

    func raise() {
        _ = eventfd_write(descriptor, 1)
    }

    func reset() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }
}
