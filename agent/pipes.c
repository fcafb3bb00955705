#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "process.h"

static void close_end(int *end) {
    if (*end >= 0) close(*end);
    *end = -1;
}

void pipes_leave_child(struct pipes *pipes) {
    for (int i = 0; i < PIPES; i++) close_end(&pipes->child[i]);
}

void pipes_close(struct pipes *pipes) {
    int saved = errno;
    pipes_leave_child(pipes);
    for (int i = 0; i < PIPES; i++) close_end(&pipes->ours[i]);
    errno = saved;
}

static bool make_pipe(struct pipes *pipes, int which, int size) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return false;
    bool to_child = which == PIPE_IN || which == PIPE_REQUEST;
    pipes->child[which] = ends[to_child ? 0 : 1];
    pipes->ours[which] = ends[to_child ? 1 : 0];
    fcntl(pipes->ours[which], F_SETFL, O_NONBLOCK);
    // Bigger is faster, but the default still works where the user's pipe limit is used up.
    if (size) fcntl(pipes->ours[which], F_SETPIPE_SZ, size);
    return true;
}

bool pipes_make(struct pipes *pipes, const struct job *job) {
    memset(pipes, -1, sizeof *pipes);
    bool made = make_pipe(pipes, PIPE_STATUS, 0) && (!job->input || make_pipe(pipes, PIPE_IN, FLOW_WINDOW)) &&
                (!job->output || make_pipe(pipes, PIPE_OUT, FLOW_WINDOW)) &&
                (!job->errors || make_pipe(pipes, PIPE_ERR, 0)) &&
                (!job->request_later || make_pipe(pipes, PIPE_REQUEST, 0));
    if (!made) pipes_close(pipes);
    return made;
}

static int end_for(const struct pipes *pipes, const struct job *job, int which) {
    int fd = pipes->child[which];
    if (which < PIPE_STATUS && job->terminal >= 0 && !(which == PIPE_IN && job->without_input)) fd = job->terminal;
    return fd < 0 ? process_null_fd() : fd;
}

void pipes_enter(const struct pipes *pipes, const struct job *job) {
    process_child_setup();
    int used = job->request_later ? PIPES : PIPE_REQUEST;
    int wanted[PIPES];
    for (int i = 0; i < used; i++) wanted[i] = fcntl(end_for(pipes, job, i), F_DUPFD_CLOEXEC, 10); // not in the way
    for (int i = 0; i < used; i++) {
        if (wanted[i] < 0 || dup2(wanted[i], i) < 0) _exit(127);
    }
    for (int i = PIPE_STATUS; i < used; i++) fcntl(i, F_SETFD, FD_CLOEXEC);
    // At once, before anything that may block: a copy of another channel's pipe would hide its end of file.
    process_close_from(used);
}
