import CLibraries
import Glibc

/// Runs a program that prints key encryption keys, without a shell. It gets nothing on its standard input, what it has
/// to say on its standard error stream is its user's, and it has to end soon.
struct KeyCommand {
    static let timeout = Duration.seconds(5)

    let arguments: [String]

    /// - Parameter limit: bytes that it may print.
    func output(limit: Int) throws(KeyError) -> String {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure("pipe: \(Self.reason(errno))") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let spawned = Result { () throws(KeyError) in try spawn(output: ends[1]) }
        close(ends[1])
        let child = try spawned.get()
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        defer { OPENSSL_cleanse(&bytes, bytes.count) }
        let count = Self.read(ends[0], into: &bytes)
        let status = Self.wait(for: child, isDone: count.map { $0 <= limit } ?? false)
        guard let count else { throw failure("took longer than \(Self.timeout.text)") }
        guard count <= limit else { throw failure("printed more than \(limit) bytes, wanted a list of keys") }
        guard status == 0 else { throw failure("ended with status \(status >> 8 & 0xFF)") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func spawn(output: Int32) throws(KeyError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        // A group of its own ends with all that it has started, and signals are as a shell has them.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let words = arguments.map { strdup($0) } + [nil]
        let variables = (try? FileReader.contents(of: "/proc/self/environ", limit: 1 << 20)) ?? []
        let environment = variables.split(separator: 0).map { strdup(String(decoding: $0, as: UTF8.self)) } + [nil]
        defer { for word in words + environment { free(word) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, arguments[0], &actions, &attributes, words, environment)
        guard code == 0 else { throw failure(Self.reason(code)) }
        return child
    }

    /// - Returns: how many bytes came until the end; nil where that did not come in time.
    private static func read(_ descriptor: Int32, into bytes: inout [UInt8]) -> Int? {
        let deadline = ContinuousClock.now + timeout
        var count = 0
        while count < bytes.count {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = max(.zero, deadline - ContinuousClock.now)
            let ready = poll(&waiting, 1, Int32((left / .milliseconds(1)).rounded(.up)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let start = count
            let some = bytes.withUnsafeMutableBytes { room in
                Glibc.read(descriptor, room.baseAddress.map { $0 + start }, room.count - start)
            }
            if some < 0, errno == EINTR { continue }
            guard some > 0 else { break }
            count += some
        }
        return count
    }

    /// - Parameter isDone: whether it may end by itself.
    /// - Returns: what it ended with, as wait(2) has it.
    private static func wait(for child: pid_t, isDone: Bool) -> Int32 {
        let deadline = ContinuousClock.now + timeout
        var status: Int32 = 0
        var isKilled = false
        while true {
            let ended = waitpid(child, &status, isKilled ? 0 : WNOHANG)
            if ended == child || ended < 0 && errno != EINTR { return status }
            if !isKilled, !isDone || ContinuousClock.now >= deadline {
                kill(-child, SIGKILL)
                isKilled = true
            } else if !isKilled {
                poll(nil, 0, 10)
            }
        }
    }

    private func failure(_ reason: String) -> KeyError { .noKeyEncryptionKey("the command \(arguments[0]): \(reason)") }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}
