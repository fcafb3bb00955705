// Why a pipe and a process that empties it, and not the terminal itself: a service with the console as its output would
// find a terminal (colours, other buffering than in a container), could change its modes, and could not open /dev/stdout
// when it is not root. Why a process: the console is slow (a serial port that is emulated byte by byte), so writing to it
// waits. The pipe fills then, and the service waits, as it would for any reader; the agent never does.
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "machine.h"
#include "process.h"

enum { CARRY_AT_ONCE = 4096, LINE_MAX_BYTES = 512 };

static int reading = -1;
static int writing = -1;
static int saying = -1; // another description of the writing end, since this one must not wait
static pid_t carrier;

static int open_console(void) {
    if (!machine.is_guest) return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

// False: the console takes no more.
static bool put(const char *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(STDOUT_FILENO, bytes + done, length - done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (wrote < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){STDOUT_FILENO, POLLOUT, 0}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

// Somebody may hang up the console for all (a getty that begins); then it can be opened again.
static void put_or_reopen(const char *bytes, size_t length) {
    if (put(bytes, length)) return;
    int fd = open_console();
    if (fd < 0) return;
    dup2(fd, STDOUT_FILENO);
    close(fd);
    put(bytes, length);
}

static _Noreturn void carry(int from) {
    static char buffer[CARRY_AT_ONCE];
    // What the agent blocks stays blocked, and it keeps its protection from the OOM killer: it lives as long as the agent.
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setsid();
    int console = open_console();
    int in = fcntl(from, F_DUPFD, 10);
    int out = fcntl(console >= 0 ? console : process_null_fd(), F_DUPFD, 10);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (machine.is_guest) dup2(process_null_fd(), STDERR_FILENO);
    process_close_from(STDERR_FILENO + 1);
    for (;;) {
        ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
        if (got > 0) put_or_reopen(buffer, (size_t)got);
        else if (got == 0 || errno != EINTR) _exit(0);
    }
}

static void start_carrier(void) {
    carrier = fork();
    if (carrier == 0) carry(reading);
    if (carrier < 0) log_line("cannot carry output to the console: %s", strerror(errno));
}

static bool make_pipe(void) {
    int ends[2];
    char path[32];
    if (pipe2(ends, O_CLOEXEC) < 0) return false;
    reading = ends[0];
    writing = ends[1];
    snprintf(path, sizeof path, "/proc/self/fd/%d", writing);
    saying = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return true;
}

int console_pipe(void) {
    if (reading < 0 && !make_pipe()) return -1;
    if (carrier <= 0) start_carrier();
    fcntl(writing, F_SETFL, 0); // whoever had it before may have made it non-blocking
    return writing;
}

void console_say(const char *format, ...) {
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    char whole[LINE_MAX_BYTES + 32];
    length = snprintf(whole, sizeof whole, "banger-agent: %s\n", line);
    bool said = saying >= 0 && write(saying, whole, (size_t)length) > 0;
    if (!said && machine.is_guest) log_line("%s", line); // in test mode that would wait for the same reader
}

void console_collect(pid_t pid) {
    if (pid != carrier || carrier <= 0) return;
    carrier = 0;
    start_carrier();
}

bool console_is_idle(void) {
    int waiting = 0;
    return reading < 0 || ioctl(reading, FIONREAD, &waiting) < 0 || waiting == 0;
}
