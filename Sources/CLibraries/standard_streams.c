#include <fcntl.h>
#include <unistd.h>

// Takes the numbers of the standard streams that the process was started without, as with `2>&-`. Else what is opened
// first would have them, and lines of the log or of output would be written into that. Before `main`, as Swift's own
// opens what it waits with.
__attribute__((constructor)) static void weir_take_standard_streams(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor += 1) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        // Against its use, so that reading or writing there fails, as where nothing is open. It gets the lowest number
        // that is free, and so this one.
        (void)open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}
