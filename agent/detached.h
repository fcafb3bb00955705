// Commands that belong to no session: they run on without a host, and what they wrote last is kept for whoever attaches.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "fields.h"
#include "scrollback.h"

enum { DETACHED_MAX = 64, DETACHED_WORDS_BYTES = 512 };

struct viewer;

struct detached {
    uint32_t id;
    struct channel *process; // of exec, but in no session's table
    struct scrollback output;
    struct viewer *viewers; // the newest first
    size_t holders;         // channels that look at it
    bool forgotten;         // out of the list; the last holder frees it
    bool takes_input;
    bool ended;
    uint64_t started_ms; // wall clock
    uint64_t ended_ms;
    uint64_t deadline;                   // of the silence after the end; 0: none
    uint8_t words[DETACHED_WORDS_BYTES]; // argv as fields, as far as they fit
    size_t words_length;
    bool words_cut;
    char *user; // as the host asked for it; NULL: root
};

// Starts one and holds it for the caller; whether the program could be executed shows later in its process.
struct failure detached_start(struct fields request, struct detached **command);
// Of the list; NULL when there is none with this number.
struct detached *detached_find(uint32_t id);
// By index, the oldest first; NULL at the end.
struct detached *detached_at(size_t index);
void detached_hold(struct detached *command);
void detached_release(struct detached *command);
// Takes it out of the list. What still runs of it is ended.
void detached_forget(struct detached *command);

// Takes in what the commands wrote. True when something moved.
bool detached_pump(void);
// ms until detached_pump wants to be called again, -1 when only an event matters.
int detached_wait(void);
void detached_collect(pid_t pid, int wait_status);
// The machine powers off: they are asked to end, and made to.
void detached_terminate_all(void);
// The agent itself ends.
void detached_end_all(void);
