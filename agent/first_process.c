#include "first_process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "log.h"
#include "procfs.h"

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

bool first_process_hears(pid_t pid, int number) {
    static const char *const masks[] = {"SigBlk:", "SigIgn:", "SigCgt:"};
    static struct lines lines;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!lines_open(&lines, path)) return false;
    bool hears = false;
    for (char *line; (line = lines_next(&lines));) {
        const char *name = next_word(&line);
        for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
            if (strcmp(name, masks[i]) == 0) hears |= next_number(&line, 16) >> (number - 1) & 1;
        }
    }
    return hears;
}
