#include "spare.h"

#include <limits.h>
#include <unistd.h>

#include "exec_child.h"
#include "loop.h"

enum { AFTER_USE_MS = 100, AFTER_FAILURE_MS = 1000 };

static const struct job command = {
    .run = exec_child, .input = true, .output = true, .errors = true, .terminal = -1, .request_later = true};

static pid_t waiting; // 0: none
static struct pipes pipes;
static pid_t last_taken;
static uint64_t due;

static _Noreturn void wait_for_request(void) {
    pipes_enter(&pipes, &command);
    setsid();
    exec_child_rehearse();
    static uint8_t request[PIPE_BUF];
    ssize_t length = read(PIPE_REQUEST, request, sizeof request);
    if (length <= 0) _exit(0); // the agent is gone
    close(PIPE_REQUEST);
    exec_child((struct fields){request, (size_t)length});
    _exit(127);
}

static bool make(void) {
    if (!pipes_make(&pipes, &command)) return false;
    pid_t pid = fork();
    if (pid == 0) wait_for_request();
    if (pid < 0) pipes_close(&pipes);
    else pipes_leave_child(&pipes);
    waiting = pid > 0 ? pid : 0;
    return pid > 0;
}

int spare_tick(void) {
    if (waiting) return -1;
    uint64_t now = loop_now();
    if (now < due) return (int)(due - now);
    if (make()) return -1;
    due = now + AFTER_FAILURE_MS;
    return AFTER_FAILURE_MS;
}

static bool fits(const struct job *job, struct fields request) {
    bool same = job->run == command.run && job->input && job->output && job->errors && job->terminal < 0;
    // What is longer may arrive in pieces.
    return same && request.left > 0 && request.left <= PIPE_BUF;
}

pid_t spare_take(struct pipes *taken, const struct job *job, struct fields request) {
    if (!waiting || !fits(job, request)) return 0;
    bool handed = write(pipes.ours[PIPE_REQUEST], request.at, request.left) == (ssize_t)request.left;
    last_taken = waiting;
    waiting = 0;
    due = loop_now() + AFTER_USE_MS;
    if (!handed) { // it was killed
        pipes_close(&pipes);
        return 0;
    }
    *taken = pipes;
    return last_taken;
}

void spare_collect(pid_t pid) {
    if (pid == last_taken) due = 0;
    if (!waiting || pid != waiting) return;
    pipes_close(&pipes);
    waiting = 0;
    due = loop_now() + AFTER_USE_MS;
}
