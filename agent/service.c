#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "console.h"
#include "first_process.h"
#include "job.h"
#include "loop.h"
#include "machine.h"
#include "reaper.h"
#include "service_child.h"
#include "timekeeping.h"

enum { FIRST_BACKOFF_MS = 100, LAST_BACKOFF_MS = 10000, CALM_MS = 10000, KILLED_IN_MS = 500, FAILURE_BYTES = 1024 };

static struct {
    struct service_definition definition;
    enum service_state state;
    struct channel *process; // of one execution, in no session's table; NULL: none
    pid_t pid;
    bool is_first; // in a PID namespace of its own
    uint32_t starts;
    uint64_t started_ms; // wall clock
    uint64_t ended_ms;
    uint64_t executed_at; // loop clock
    uint64_t deadline;    // of the next start, or of the kill; 0: none
    uint32_t backoff_ms;
    bool start_when_ended;
    bool is_old; // what still runs was started for the definition before
    bool shut_down;
    bool has_ended;
    int wait_status;
    uint8_t failure[FAILURE_BYTES];
    size_t failure_length;
} service;

// The child is the agent's own business: its end is told by service_collect, and its group is ended there.
static const struct operation process_kind = {.own_group = true};

static void become(enum service_state state) {
    service.state = state;
    service.deadline = 0;
}

static void keep_failure(const uint8_t *bytes, size_t length) {
    service.failure_length = length < sizeof service.failure ? length : 0;
    memcpy(service.failure, bytes, service.failure_length);
}

static void start_later(void) {
    become(SERVICE_BACKOFF);
    service.deadline = loop_now() + service.backoff_ms;
    service.backoff_ms = service.backoff_ms * 2 < LAST_BACKOFF_MS ? service.backoff_ms * 2 : LAST_BACKOFF_MS;
}

static struct failure fork_service(void) {
    int output = console_pipe();
    if (output < 0) return (struct failure){"IO", "Cannot make a pipe", errno};
    service.process = channel_new(0, &process_kind);
    if (!service.process) return (struct failure){"IO", "Out of memory", ENOMEM};
    struct job job = {.run = service_child, .terminal = output, .without_input = true};
    // Not in test mode: there the agent is a guest on somebody's host.
    service.is_first = machine.is_guest && first_process_begin();
    struct failure failure =
        job_start(service.process, &job, (struct fields){service.definition.fields, service.definition.length});
    if (service.is_first) first_process_end();
    service.pid = service.process->pid;
    if (failure.code && !service.pid) {
        channel_free(service.process);
        service.process = NULL;
    }
    return failure;
}

// Out of processes or memory passes, so one that is to run on is tried again.
static void cannot_fork(const struct failure *failure) {
    uint8_t bytes[256];
    keep_failure(bytes, failure_fields(failure, bytes, sizeof bytes));
    if (service.definition.restart == RESTART_NO) become(SERVICE_FAILED);
    else start_later();
}

static void execute(void) {
    become(SERVICE_STARTING);
    service.failure_length = 0;
    service.is_old = false;
    struct failure failure = fork_service();
    if (failure.code && !service.process) cannot_fork(&failure);
}

void service_start(void) {
    if (service.shut_down || service.state == SERVICE_STARTING || service.state == SERVICE_RUNNING) return;
    service.start_when_ended = service.state == SERVICE_STOPPING;
    if (service.start_when_ended) return;
    service.backoff_ms = FIRST_BACKOFF_MS;
    execute();
}

void service_define(const struct service_definition *definition) {
    service_stop(SERVICE_GRACE_AS_DEFINED);
    free(service.definition.fields);
    service.definition = *definition;
    service.starts = 0;
    service.has_ended = false;
    service.failure_length = 0;
    service.is_old = service.process != NULL;
    service_start();
}

bool service_is(const struct service_definition *definition) {
    const struct service_definition *own = &service.definition;
    return own->length == definition->length && memcmp(own->fields, definition->fields, own->length) == 0;
}

static void kill_group(void) {
    // One that has not come to its setsid() yet has no group of its own.
    if (kill(-service.pid, SIGKILL) < 0 && errno == ESRCH && !service.process->collected) kill(service.pid, SIGKILL);
}

// One that is not there yet, or would not hear of it, has nothing to do before it ends.
static void ask_to_end(bool has_begun) {
    int number = service.definition.stop_signal;
    if (service.is_first && !(has_begun && first_process_hears(service.pid, number))) kill_group();
    // The process alone, as with a container: what it started is its own to end.
    else kill(service.pid, number);
}

void service_stop(int grace_ms) {
    uint32_t grace = grace_ms < 0 ? service.definition.grace_ms : (uint32_t)grace_ms;
    service.start_when_ended = false;
    if (service.state == SERVICE_BACKOFF) become(SERVICE_STOPPED);
    bool has_begun = service.state == SERVICE_RUNNING;
    if (has_begun || service.state == SERVICE_STARTING) {
        become(SERVICE_STOPPING);
        ask_to_end(has_begun);
    }
    if (service.state != SERVICE_STOPPING) return;
    uint64_t deadline = loop_now() + grace;
    if (!service.deadline || deadline < service.deadline) service.deadline = deadline;
}

static void say_end(void) {
    char how[64];
    int status = service.wait_status;
    if (WIFSIGNALED(status)) snprintf(how, sizeof how, "signal %d ended the service", WTERMSIG(status));
    else snprintf(how, sizeof how, "the service ended with status %d", WEXITSTATUS(status));
    if (service.state == SERVICE_BACKOFF) {
        console_say("%s; it is started again in %llu ms", how, (unsigned long long)(service.deadline - loop_now()));
    } else if (status != 0) {
        console_say("%s", how);
    }
}

static void after_end(void) {
    bool well = WIFEXITED(service.wait_status) && WEXITSTATUS(service.wait_status) == 0;
    enum service_restart restart = service.definition.restart;
    if (loop_now() - service.executed_at >= CALM_MS) service.backoff_ms = FIRST_BACKOFF_MS;
    if (restart == RESTART_ALWAYS || (restart == RESTART_ON_FAILURE && !well)) start_later();
    else become(SERVICE_EXITED);
    say_end();
}

static void say_failure(void) {
    char *message = fields_text((struct fields){service.failure, service.failure_length}, 2);
    console_say("cannot start the service: %s", message ? message : "");
    free(message);
}

// It was executed: the status pipe closed without a word.
static void note_execution(void) {
    service.process->opened = true;
    if (service.is_old) return;
    service.starts++;
    service.started_ms = clock_wall_ms();
    service.executed_at = loop_now();
    if (service.state == SERVICE_STARTING) become(SERVICE_RUNNING);
}

static void keep_end(const struct channel *process) {
    if (!process->opened) {
        keep_failure(process->final, process->final_length);
        return;
    }
    service.has_ended = true;
    service.ended_ms = clock_wall_ms();
    service.wait_status = process->wait_status;
}

static void end(void) {
    struct channel *process = service.process;
    bool was_executed = process->opened;
    bool was_asked = service.state == SERVICE_STOPPING;
    service.process = NULL;
    service.pid = 0;
    if (!service.is_old) keep_end(process);
    channel_free(process);
    if (was_asked) {
        become(SERVICE_STOPPED);
        if (service.start_when_ended) service_start();
    } else if (was_executed) {
        after_end();
    } else {
        become(SERVICE_FAILED);
        say_failure();
    }
}

// What became of the child, as far as it is known. True when that changed the state.
static bool follow_child(void) {
    struct channel *process = service.process;
    if (!process) return false;
    if (process->status.fd >= 0) job_read_status(process);
    bool executed = process->status_ended && process->final_type != FRAME_ERROR && !process->opened;
    if (executed) note_execution();
    if (!process->collected || !process->status_ended) return executed;
    end();
    return true;
}

void service_collect(pid_t pid, int wait_status) {
    console_collect(pid);
    if (!service.process || pid != service.pid) return;
    // What it left behind in its group goes with it, as the rest of a container does.
    kill(-pid, SIGKILL);
    channel_collect(service.process, wait_status);
    service.process->status.readable = true;
    follow_child();
}

int service_tick(void) {
    if (!service.process && !service.deadline) return -1;
    bool changed = follow_child();
    if (service.deadline && service.deadline <= loop_now()) {
        service.deadline = 0;
        changed = true;
        if (service.state == SERVICE_BACKOFF) execute();
        else if (service.process) kill_group();
    }
    if (changed) return 0;
    return service.deadline ? (int)(service.deadline - loop_now()) : -1;
}

void service_read_status(struct service_status *status) {
    bool waits = service.state == SERVICE_BACKOFF && service.deadline > loop_now();
    *status = (struct service_status){
        .state = service.definition.fields ? service.state : SERVICE_NONE,
        .pid = service.process && service.process->opened ? service.pid : 0,
        .starts = service.starts,
        .started_ms = service.started_ms,
        .ended_ms = service.ended_ms,
        .has_ended = service.has_ended,
        .wait_status = service.wait_status,
        .failure = service.failure,
        .failure_length = service.failure_length,
        .restart_in_ms = waits ? (uint32_t)(service.deadline - loop_now()) : 0,
    };
}

int service_shut_down(uint32_t most_ms) {
    service.shut_down = true;
    uint32_t grace = service.definition.grace_ms < most_ms ? service.definition.grace_ms : most_ms;
    service_stop((int)grace);
    return service.process ? (int)grace + KILLED_IN_MS : 0;
}

bool service_is_down(void) {
    return !service.process;
}

void service_end(void) {
    service.shut_down = true;
    if (service.process) reaper_end_group(service.pid, true);
}
