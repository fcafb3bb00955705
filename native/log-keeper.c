/*
 * Starts a program whose words are kept in files that cannot grow without bound.
 *
 *     log-keeper PIDFILE CONSOLE-PATH CONSOLE-MAX LOG-PATH LOG-MAX [--small-pages] PROGRAM [ARGUMENT...]
 *
 * Becomes PROGRAM, whose stdout and stderr are kept in LOG-PATH and what it writes to descriptor 3 in CONSOLE-PATH. A child that
 * lives for as long as somebody can write there does the keeping; its pid is in PIDFILE. A file that would grow beyond its
 * maximum becomes PATH.1, in the place of the one before, and a new one begins.
 *
 * What is kept comes from a guest and may be endless; it is only copied. The program never waits for a disk that is full: what
 * cannot be written is dropped.
 *
 * With --small-pages PROGRAM has no huge pages, not even where it asks for them.
 *
 * Exit status: 1 something failed, 126 or 127 PROGRAM cannot be started.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONSOLE_FD = 3,
    LOGS = 2,
    CHUNK = 64 * 1024,
    /* A console arrives byte by byte: a whole line is worth one wake-up. */
    GATHER_MS = 5,
};

struct log {
    const char *path;
    char older[4096];
    off_t max;
    off_t size;
    int file;   /* -1: cannot be opened */
    int source; /* -1: nobody writes any more */
};

static void die(const char *what)
{
    fprintf(stderr, "log-keeper: %s: %s\n", what, strerror(errno));
    exit(1);
}

static off_t parse_max(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value <= 0) {
        fprintf(stderr, "log-keeper: not a number of bytes: %s\n", text);
        exit(1);
    }
    return value;
}

static void open_file(struct log *log)
{
    struct stat stat;
    log->file = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    log->size = log->file >= 0 && fstat(log->file, &stat) == 0 ? stat.st_size : 0;
}

/* Only when there is something to write, so that a new file is never seen empty. */
static void rotate(struct log *log)
{
    /* Where a file cannot be put aside it is cut: the bound comes first. */
    if (rename(log->path, log->older) != 0 && ftruncate(log->file, 0) != 0)
        return;
    close(log->file);
    open_file(log);
}

static void keep(struct log *log, const char *bytes, size_t count)
{
    if (log->file < 0)
        open_file(log);
    if (log->file >= 0 && log->size > 0 && log->size + (off_t)count > log->max)
        rotate(log);
    while (log->file >= 0 && count > 0) {
        ssize_t written = write(log->file, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        count -= (size_t)written;
        log->size += written;
    }
}

static void take(struct log *log)
{
    static char bytes[CHUNK];
    size_t room = log->max < CHUNK ? (size_t)log->max : CHUNK;
    ssize_t count = read(log->source, bytes, room);
    if (count > 0)
        keep(log, bytes, (size_t)count);
    else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        close(log->source);
        log->source = -1;
    }
}

/* Waits until something can be read or a writer has left; then a moment longer, for more of the same. */
static void wait_for_words(struct pollfd *waiting)
{
    for (int i = 0; i < LOGS; i++)
        waiting[i].events = POLLIN;
    while (poll(waiting, LOGS, -1) < 0 && errno == EINTR)
        ;
    struct pollfd leaving[LOGS];
    for (int i = 0; i < LOGS; i++)
        leaving[i] = (struct pollfd){ .fd = waiting[i].fd };
    poll(leaving, LOGS, GATHER_MS);
}

static int keep_all(struct log *logs)
{
    for (;;) {
        struct pollfd waiting[LOGS];
        bool is_over = true;
        for (int i = 0; i < LOGS; i++) {
            waiting[i] = (struct pollfd){ .fd = logs[i].source };
            is_over = is_over && logs[i].source < 0;
        }
        if (is_over)
            return 0;
        wait_for_words(waiting);
        for (int i = 0; i < LOGS; i++)
            if (logs[i].source >= 0 && waiting[i].revents != 0)
                take(&logs[i]);
    }
}

/* Outlives the program: whoever ends everything must not lose its last words. */
static void ignore_signals(void)
{
    static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2 };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_IGN);
}

/*
 * `log-keeper --keep PID FD PATH MAX FD PATH MAX`, PID being the program: a command line of its own, or the keeper would look
 * like another process of the program.
 */
static int run_keeper(char **argv)
{
    static struct log logs[LOGS];
    for (int i = 0; i < LOGS; i++) {
        struct log *log = &logs[i];
        log->source = atoi(argv[0]);
        log->path = argv[1];
        log->max = parse_max(argv[2]);
        int size = snprintf(log->older, sizeof log->older, "%s.1", log->path);
        if (size < 0 || (size_t)size >= sizeof log->older) {
            errno = ENAMETOOLONG;
            die(log->path);
        }
        fcntl(log->source, F_SETFL, O_NONBLOCK);
        open_file(log);
        argv += 3;
    }
    ignore_signals();
    prctl(PR_SET_NAME, "log-keeper", 0, 0, 0); /* not `exe`, by which it was executed */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return keep_all(logs);
}

static void become_keeper(char **argv, const int *sources)
{
    char numbers[LOGS][16], program[16];
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        _exit(1);
    for (int i = 0; i < LOGS; i++) {
        fcntl(sources[i], F_SETFD, 0);
        snprintf(numbers[i], sizeof numbers[i], "%d", sources[i]);
    }
    snprintf(program, sizeof program, "%d", (int)getppid());
    execl("/proc/self/exe", "log-keeper", "--keep", program, numbers[0], argv[0], argv[1], numbers[1], argv[2], argv[3], (char *)NULL);
    _exit(1);
}

/* Returns when the keeper has its own command line: until then it could be taken for the program. */
static pid_t start_keeper(char **argv, const int *sources)
{
    int executed[2];
    char nothing;
    if (pipe2(executed, O_CLOEXEC) != 0)
        die("pipe");
    pid_t keeper = fork();
    if (keeper < 0)
        die("fork");
    if (keeper == 0)
        become_keeper(argv, sources);
    close(executed[1]);
    while (read(executed[0], &nothing, 1) < 0 && errno == EINTR)
        ;
    close(executed[0]);
    return keeper;
}

static void write_pid(const char *path, pid_t pid)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%d\n", (int)pid) < 0)
        die(path);
    close(fd);
}

/* Its end of descriptors beyond those that the program itself has, for each log. */
static void make_pipe(int *ends)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        die("pipe");
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(pair[i], F_DUPFD_CLOEXEC, CONSOLE_FD + 1);
        if (ends[i] < 0)
            die("pipe");
        close(pair[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 + 3 * LOGS && strcmp(argv[1], "--keep") == 0)
        return run_keeper(argv + 3);
    if (argc < 7) {
        fprintf(stderr, "usage: log-keeper PIDFILE CONSOLE-PATH CONSOLE-MAX LOG-PATH LOG-MAX [--small-pages] PROGRAM [ARGUMENT...]\n");
        return 1;
    }
    parse_max(argv[3]);
    parse_max(argv[5]);
    umask(077);
    int console[2], words[2];
    make_pipe(console);
    make_pipe(words);
    write_pid(argv[1], start_keeper(argv + 2, (int[]){ console[0], words[0] }));
    /* What the program says of itself must not stop it when nobody takes it. */
    fcntl(words[1], F_SETFL, O_NONBLOCK);
    if (dup2(console[1], CONSOLE_FD) < 0 || dup2(words[1], STDOUT_FILENO) < 0 || dup2(words[1], STDERR_FILENO) < 0)
        die("dup2");
    char **program = argv + 6;
    if (program[1] && strcmp(program[0], "--small-pages") == 0) {
        program++;
        if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
            fprintf(stderr, "log-keeper: huge pages stay: %s\n", strerror(errno));
    }
    execvp(program[0], program);
    int error = errno;
    fprintf(stderr, "log-keeper: %s: %s\n", program[0], strerror(error));
    /* For a bare name EACCES means that a folder of PATH may not be searched, not that it was found. */
    bool missing = error == ENOENT || (error == EACCES && strchr(program[0], '/') == NULL);
    return missing ? 127 : 126;
}
