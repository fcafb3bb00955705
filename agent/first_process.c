#include "first_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "procfs.h"

enum { PATH_BYTES = 64 };

static int own_numbers = -1;

bool first_process_begin(void) {
    if (own_numbers < 0) own_numbers = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    return own_numbers >= 0 && unshare(CLONE_NEWPID) == 0;
}

void first_process_end(void) {
    if (setns(own_numbers, CLONE_NEWPID) < 0) log_line("cannot leave a PID namespace: %s", strerror(errno));
}

bool first_process_enter(void) {
    // Other mounts still go both ways: what a command mounts is there for the service.
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) == 0 &&
           mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

// A thread that waits in sigwait() has taken out of its mask what it waits for, and gets it all the same.
static bool waits_for_signals(const char *task) {
    static struct lines lines;
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/syscall", task);
    if (!lines_open(&lines, path)) return true; // not known, so it may
    char *line = lines_next(&lines);
    const char *call = line ? next_word(&line) : ""; // no number while it runs
    bool waits = is_number(call) && strtol(call, NULL, 10) == SYS_rt_sigtimedwait;
    lines_close(&lines);
    return waits;
}

static bool minds_signal(const char *task, int number) {
    static const char *const masks[] = {"SigBlk:", "SigIgn:", "SigCgt:"};
    static struct lines lines;
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/status", task);
    if (!lines_open(&lines, path)) return false; // it has ended
    bool minds = false;
    for (char *line; (line = lines_next(&lines));) {
        const char *name = next_word(&line);
        for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
            if (strcmp(name, masks[i]) == 0) minds |= next_number(&line, 16) >> (number - 1) & 1;
        }
    }
    return minds;
}

bool first_process_hears(pid_t pid, int number) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return true; // not known, so it may
    bool hears = false;
    for (struct dirent *entry; !hears && (entry = readdir(tasks));) {
        if (!is_number(entry->d_name)) continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s", pid, entry->d_name);
        hears = minds_signal(path, number) || waits_for_signals(path);
    }
    closedir(tasks);
    return hears;
}
