#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

enum { IDLE_NICE = 19 };

// A pipe that is at its end when each process that is at work on a part has let go of the other end.
static struct {
    int ended;
    int at_work;
    pid_t pids[PARTS_MAX];
    size_t count;
    bool beside; // this process is a part
} parts = {.ended = -1, .at_work = -1};

static void close_end(int *end) {
    if (*end >= 0) close(*end);
    *end = -1;
}

static bool can_watch(void) {
    int ends[2];
    if (parts.at_work >= 0) return true;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        log_line("cannot make a pipe: %s", strerror(errno));
        return false;
    }
    parts.ended = ends[0];
    parts.at_work = ends[1];
    return true;
}

void part_start(void (*part)(const char *), const char *cmdline) {
    pid_t pid = parts.count < PARTS_MAX && can_watch() ? fork() : -1;
    if (pid > 0) {
        parts.pids[parts.count++] = pid;
        return;
    }
    if (pid < 0) {
        part(cmdline);
        return;
    }
    parts.beside = true;
    close_end(&parts.ended);
    part(cmdline);
    _exit(0);
}

void part_is_done(void) {
    if (!parts.beside) return;
    close_end(&parts.at_work);
    setpriority(PRIO_PROCESS, 0, IDLE_NICE);
}

void parts_are_all(void) {
    close_end(&parts.at_work);
}

void parts_wait(void) {
    char none;
    while (parts.ended >= 0 && read(parts.ended, &none, 1) < 0 && errno == EINTR) continue;
    close_end(&parts.ended);
}

void parts_collect(void) {
    for (size_t i = 0; i < parts.count; i++) {
        while (waitpid(parts.pids[i], NULL, 0) < 0 && errno == EINTR) continue;
    }
    parts.count = 0;
}
