// The two directions of a channel's stream, with the protocol's credit: a source is read towards the host, a sink is
// written with what the host sent. Both are bounded by one window and never block.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "outbox.h"

enum {
    FLOW_WINDOW = 262144,
    FLOW_GRANT = 65536, // credit is granted in portions of at least this much
};

struct source {
    struct watch *watch; // NULL: this stream does not exist
    uint8_t stream;
    bool short_read_is_empty; // a pipe that gave less than asked is drained; a terminal or socket may not be
    bool ended;               // the descriptor gave its last byte
    bool eof_sent;
    uint32_t credit;
};

enum sink_kind { SINK_NONE, SINK_PIPE, SINK_SOCKET, SINK_TERMINAL };

struct sink {
    struct watch *watch;
    enum sink_kind kind;
    uint8_t *buffer; // a ring of FLOW_WINDOW bytes, taken when something first has to wait
    size_t start;
    size_t used;
    uint32_t window; // what the host may still send
    uint32_t owed;   // consumed, but not granted again yet
    bool eof;        // the host sent EOF
    bool finished;   // and it was passed on
    bool held;       // not to be written yet (a connection that is still being made)
    bool broken;     // the reader is gone: bytes are swallowed
};

void source_open(struct source *source, struct watch *watch, uint8_t stream, bool is_pipe);
// As read(2), without losing the last words of a terminal.
ssize_t source_read(const struct source *source, void *to, size_t room);
// Moves up to one frame into the outbox; true when something was put there.
bool source_pump(struct source *source, struct outbox *out, uint32_t channel);
// False when the host granted more than a window's worth can ever be.
bool source_grant(struct source *source, uint32_t credit);
// May have bytes that were not read yet.
bool source_waiting(const struct source *source);
// Bytes that one frame of it may take now; 0: none.
size_t source_room(const struct source *source, const struct outbox *out);
bool source_finish(struct source *source, struct outbox *out, uint32_t channel);

void sink_open(struct sink *sink, struct watch *watch, enum sink_kind kind);
// False when the host exceeded its credit.
bool sink_accept(struct sink *sink, const uint8_t *bytes, size_t length);
void sink_pump(struct sink *sink);
bool sink_send_credit(struct sink *sink, struct outbox *out, uint32_t channel);
bool sink_done(const struct sink *sink);
void sink_free(struct sink *sink);
