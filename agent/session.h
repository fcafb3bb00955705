// The conversation with one host after the other: HELLO, the table of channels, and the loop that moves everything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "link.h"
#include "outbox.h"

#define AGENT_GENERATION 1

enum { SESSION_IN_CAPACITY = 2 * FRAME_MAX };

struct session {
    struct link link;
    struct outbox out;
    struct watch signals;
    uint8_t *in; // bytes of the host that are not handled yet
    size_t in_start;
    size_t in_end;
    bool open;  // HELLO was answered with a generation
    bool fatal_signal;
    bool more_children;
    struct channel *channels[CHANNELS_MAX];
    size_t channel_count;
    size_t next_channel; // who is pumped first, in turn
};

bool session_init(struct session *session);
// Runs until the link has ended for good or a signal asked for the end.
void session_run(struct session *session);
void session_end(struct session *session);
// One frame of the host. False: it broke the protocol, and the session is over.
bool session_receive(struct session *session, const struct frame *frame);
