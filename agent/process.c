#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procfs.h"

extern char **environ;

// glibc's SIGRTMIN, which systemd means; musl's own is one higher.
enum { REALTIME_BASE = 34 };

static struct rlimit files_before;
static bool protected_from_oom;
static int null_fd = -1;

static const char oom_score[] = "/proc/self/oom_score_adj";

void process_setup(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    getrlimit(RLIMIT_NOFILE, &files_before);
    struct rlimit files = files_before;
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096; // 256 channels with four pipes each
    if (files.rlim_cur > files_before.rlim_cur) setrlimit(RLIMIT_NOFILE, &files);
    if (geteuid() == 0) protected_from_oom = procfs_write(oom_score, "-1000");
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void watched_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGUSR2);
    sigaddset(set, SIGPWR);
    sigaddset(set, REALTIME_BASE + 3);
    sigaddset(set, REALTIME_BASE + 4);
}

int process_signal_fd(void) {
    sigset_t set;
    watched_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void process_child_setup(void) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_NOFILE, &files_before);
    if (protected_from_oom) procfs_write(oom_score, "0");
}

void process_close_from(int fd) {
    if (syscall(SYS_close_range, (unsigned)fd, ~0U, 0U) == 0) return;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    int end = files.rlim_cur < 65536 ? (int)files.rlim_cur : 65536;
    for (; fd < end; fd++) close(fd);
}

int process_null_fd(void) {
    return null_fd;
}

void process_rename(char **argv) {
    static const char name[] = "@banger-agent";
    prctl(PR_SET_NAME, "banger-agent");
    if (!argv[0] || !argv[0][0]) return;
    // Arguments and environment lie next to each other in memory; the kernel shows what is written over both.
    char *end = argv[0] + strlen(argv[0]) + 1;
    for (int i = 1; argv[i] == end; i++) end += strlen(end) + 1;
    for (int i = 0; environ && environ[i] == end; i++) end += strlen(end) + 1;
    size_t room = (size_t)(end - argv[0]);
    if (room > sizeof name) {
        static char *no_environment[] = {NULL};
        environ = no_environment;
        memset(argv[0], 0, room);
        memcpy(argv[0], name, sizeof name);
    } else {
        argv[0][0] = '@';
    }
}
