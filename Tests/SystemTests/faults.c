// Preloaded into a program, this ends or fails it at one chosen call of the C library.
//
//     WEIR_FAULT=CALL:TEXT:N:ACTION     the N-th CALL whose file has TEXT in its path; N+ for every one from the N-th on;
//                                       @BYTE for every pread that this byte of the file is part of
//     WEIR_FAULT_WHILE=FILE             only calls made while FILE exists count; without it all do
//
// Calls with two paths have "OLD -> NEW" for a path. ACTION is one of
//
//     before, after      SIGKILL before the call, or when it has returned
//     half               SIGKILL after a write of half of the bytes
//     EIO, ENOSPC        the call does nothing and fails
//     hang               the call never returns

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum action { NOTHING, BEFORE, AFTER, HALF, FAIL, HANG };

static struct {
    char call[32], text[256];
    long number, byte;
    int isFromThenOn, error;
    enum action action;
    const char *condition;
} rule;
static atomic_long count;

__attribute__((constructor)) static void readRule(void) {
    char number[32], action[32], *end;
    const char *fault = getenv("WEIR_FAULT");
    if (!fault) return;
    if (sscanf(fault, "%31[^:]:%255[^:]:%31[^:]:%31s", rule.call, rule.text, number, action) != 4) abort();
    rule.byte = number[0] == '@' ? strtol(number + 1, &end, 10) : -1;
    rule.number = rule.byte < 0 ? strtol(number, &end, 10) : 1;
    rule.isFromThenOn = *end == '+' || rule.byte >= 0;
    rule.condition = getenv("WEIR_FAULT_WHILE");
    if (!strcmp(action, "before")) rule.action = BEFORE;
    else if (!strcmp(action, "after")) rule.action = AFTER;
    else if (!strcmp(action, "half")) rule.action = HALF;
    else if (!strcmp(action, "hang")) rule.action = HANG;
    else if (!strcmp(action, "EIO")) rule.action = FAIL, rule.error = EIO;
    else if (!strcmp(action, "ENOSPC")) rule.action = FAIL, rule.error = ENOSPC;
    else abort();
}

static void say(const char *path) {
    char line[2 * PATH_MAX + 400];
    int length = snprintf(line, sizeof line, "fault=%s call=%s path=\"%s\"\n", getenv("WEIR_FAULT"), rule.call, path);
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (real(STDERR_FILENO, line, (size_t)length) < 0) abort();
}

static void hang(void) {
    for (;;) pause();
}

static void end(void) {
    kill(getpid(), SIGKILL);
    hang();
}

// What is to be done at this call; the caller carries it out where it is not the same for all calls.
static enum action decide(const char *call, const char *path) {
    if (rule.action == NOTHING || strcmp(call, rule.call) || !strstr(path, rule.text)) return NOTHING;
    if (rule.condition && access(rule.condition, F_OK)) return NOTHING;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (number != rule.number && !(rule.isFromThenOn && number > rule.number)) return NOTHING;
    if (number == rule.number) say(path);
    if (rule.action == BEFORE) end();
    if (rule.action == HANG) hang();
    if (rule.action == FAIL) errno = rule.error;
    return rule.action;
}

static enum action decideFor(const char *call, int file) {
    // Nothing but files is asked about: a program writes to sockets far more often.
    if (rule.action == NOTHING || strcmp(call, rule.call)) return NOTHING;
    int error = errno;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = error;
    if (length < 0) return NOTHING;
    path[length] = 0;
    return decide(call, path);
}

static enum action decideForTwo(const char *call, const char *from, const char *to) {
    char both[2 * PATH_MAX + 8];
    snprintf(both, sizeof both, "%s -> %s", from, to);
    return decide(call, both);
}

static size_t half(int file, size_t count) {
    // A part of a block cannot be written around the page cache; what is torn is the same.
    int flags = fcntl(file, F_GETFL);
    if (flags & O_DIRECT) fcntl(file, F_SETFL, flags & ~O_DIRECT);
    // Disks write sectors of 512 bytes whole.
    return count > 1024 ? count / 2 & ~(size_t)511 : count / 2;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

// Ends the process after the call where that was decided; evaluates to what the call returned.
#define CARRY_OUT(decision, type, call_) \
    ({ \
        enum action decided = (decision); \
        if (decided == FAIL) return -1; \
        type result = (call_); \
        if (decided != NOTHING) end(); \
        result; \
    })

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    enum action action = decideFor("write", file);
    if (action == HALF) size = half(file, size);
    return CARRY_OUT(action, ssize_t, real(file, bytes, size));
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
    REAL(pwrite);
    enum action action = decideFor("pwrite", file);
    if (action == HALF) size = half(file, size);
    return CARRY_OUT(action, ssize_t, real(file, bytes, size, offset));
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset) {
    REAL(pread);
    int isMeant = rule.byte < 0 || (offset <= rule.byte && rule.byte < offset + (off_t)size);
    return CARRY_OUT(isMeant ? decideFor("pread", file) : NOTHING, ssize_t, real(file, bytes, size, offset));
}

int fsync(int file) {
    REAL(fsync);
    return CARRY_OUT(decideFor("fsync", file), int, real(file));
}

int fdatasync(int file) {
    REAL(fdatasync);
    return CARRY_OUT(decideFor("fdatasync", file), int, real(file));
}

int ftruncate(int file, off_t length) {
    REAL(ftruncate);
    return CARRY_OUT(decideFor("ftruncate", file), int, real(file, length));
}

int posix_fallocate(int file, off_t offset, off_t length) {
    REAL(posix_fallocate);
    enum action action = decideFor("posix_fallocate", file);
    // It returns the error, and leaves errno alone.
    if (action == FAIL) return rule.error;
    return CARRY_OUT(action, int, real(file, offset, length));
}

int open(const char *path, int flags, ...) {
    REAL(open);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return CARRY_OUT(decide("open", path), int, real(path, flags, mode));
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return CARRY_OUT(decide("mkdir", path), int, real(path, mode));
}

int unlink(const char *path) {
    REAL(unlink);
    return CARRY_OUT(decide("unlink", path), int, real(path));
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return CARRY_OUT(decideForTwo("rename", from, to), int, real(from, to));
}

int link(const char *from, const char *to) {
    REAL(link);
    return CARRY_OUT(decideForTwo("link", from, to), int, real(from, to));
}

// On a machine with 64-bit offsets these are the same.
_Static_assert(sizeof(off_t) == sizeof(off64_t), "off_t has 64 bits");
ssize_t pread64(int, void *, size_t, off64_t) __attribute__((alias("pread")));
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));
int open64(const char *, int, ...) __attribute__((alias("open")));
int posix_fallocate64(int, off64_t, off64_t) __attribute__((alias("posix_fallocate")));
