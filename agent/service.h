// The one service of a machine: the host defines it, the agent starts it, starts it again, and ends it. It belongs to no
// session.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "fields.h"

enum service_state {
    SERVICE_NONE, // not defined
    SERVICE_STARTING,
    SERVICE_RUNNING,
    SERVICE_BACKOFF, // ended, and is started again when the time comes
    SERVICE_STOPPING,
    SERVICE_STOPPED,
    SERVICE_EXITED, // ended by itself, for good
    SERVICE_FAILED, // could not be executed
};

enum service_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };

struct service_definition {
    uint8_t *fields; // as launch.h reads them; from malloc
    size_t length;
    int stop_signal;
    enum service_restart restart;
    uint32_t grace_ms;
};

struct service_status {
    enum service_state state;
    pid_t pid; // 0: it does not run
    uint32_t starts;
    uint64_t started_ms; // wall clock, as ended_ms; 0: never
    uint64_t ended_ms;
    bool has_ended;
    int wait_status;         // the last one, when it has ended
    const uint8_t *failure;  // fields of an ERROR
    size_t failure_length;   // 0: none
    uint32_t restart_in_ms; // in SERVICE_BACKOFF
};

enum { SERVICE_GRACE_AS_DEFINED = -1 };

// Takes the fields over and starts it, after the one before was stopped.
void service_define(const struct service_definition *definition);
// The same as the one that is defined.
bool service_is(const struct service_definition *definition);
void service_start(void);
void service_stop(int grace_ms);
void service_read_status(struct service_status *status);

void service_collect(pid_t pid, int wait_status);
// Acts on what is due. Returns ms until it wants to be called again, -1 when only an event matters.
int service_tick(void);
// The machine powers off: stops it for good, in this time at most. Returns how many ms that may take.
int service_shut_down(uint32_t most_ms);
bool service_is_down(void);
// The agent itself ends.
void service_end(void);
