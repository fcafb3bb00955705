#include "reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "loop.h"

enum { KILL_AFTER_HANGUP_MS = 2000, KILL_AFTER_TERM_MS = 3000, COLLECT_AT_ONCE = 256 };

struct ending {
    pid_t group;
    uint64_t deadline;
};

static struct ending *endings;
static size_t ending_count;
static size_t ending_capacity;

bool reaper_collect(reaper_report report, void *context) {
    for (int i = 0; i < COLLECT_AT_ONCE; i++) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) return false;
        reaper_group_leader_died(pid);
        report(context, pid, status);
    }
    return true;
}

static void forget(size_t index) {
    endings[index] = endings[--ending_count];
}

void reaper_group_leader_died(pid_t group) {
    for (size_t i = 0; i < ending_count; i++) {
        // While members live the number cannot be given to another group; later it could.
        if (endings[i].group == group && kill(-group, 0) < 0 && errno == ESRCH) {
            forget(i);
            return;
        }
    }
}

static void kill_later(pid_t group, uint64_t after_ms) {
    if (ending_count == ending_capacity) {
        size_t capacity = ending_capacity ? ending_capacity * 2 : 16;
        struct ending *grown = realloc(endings, capacity * sizeof *grown);
        if (!grown) {
            kill(-group, SIGKILL);
            return;
        }
        endings = grown;
        ending_capacity = capacity;
    }
    endings[ending_count++] = (struct ending){group, loop_now() + after_ms};
}

void reaper_end_group(pid_t group, bool leader_alive) {
    if (kill(-group, SIGHUP) < 0) {
        // A child that has not come to its setsid() yet has no group of its own.
        if (errno == ESRCH && leader_alive) kill(group, SIGKILL);
        return;
    }
    kill(-group, SIGCONT);
    kill_later(group, KILL_AFTER_HANGUP_MS);
}

void reaper_terminate_group(pid_t group) {
    if (kill(-group, SIGTERM) < 0) return;
    kill(-group, SIGCONT);
    kill_later(group, KILL_AFTER_TERM_MS);
}

bool reaper_is_idle(void) {
    return ending_count == 0;
}

int reaper_tick(void) {
    uint64_t now = loop_now();
    int next = -1;
    for (size_t i = 0; i < ending_count;) {
        if (endings[i].deadline <= now) {
            kill(-endings[i].group, SIGKILL);
            forget(i);
            continue;
        }
        int left = (int)(endings[i].deadline - now);
        if (next < 0 || left < next) next = left;
        i++;
    }
    return next;
}

void reaper_kill_now(void) {
    while (ending_count) {
        kill(-endings[0].group, SIGKILL);
        forget(0);
    }
}
