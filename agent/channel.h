// One operation in progress: its child or socket, its streams, and how it ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fields.h"
#include "flow.h"
#include "frame.h"
#include "loop.h"
#include "outbox.h"

enum { CHANNELS_MAX = 256 };

struct channel;

struct failure {
    const char *code; // NULL: none
    const char *message;
    int error;
};

#define NO_FAILURE ((struct failure){NULL, NULL, 0})

// What an operation does differently from the others. Absent functions mean: nothing to do.
struct operation {
    uint32_t number;
    bool own_group; // the child leads a process group that outlives it
    struct failure (*start)(struct channel *channel, struct fields request);
    void (*tick)(struct channel *channel);                                      // before pumping; may finish it
    bool (*may_end)(struct channel *channel);                                   // after the final frame is known
    void (*control)(struct channel *channel, const struct frame *frame);        // RESIZE, SIGNAL
    size_t (*opened)(const struct channel *channel, struct field_writer *body); // fields of OPENED
    void (*receive)(struct channel *channel, const uint8_t *bytes, size_t length); // DATA, beside the sink's account
    bool (*pump)(struct channel *channel, struct outbox *out);                     // in place of the first source
    void (*drop)(struct channel *channel); // frees what it put into the context
};

struct channel {
    uint32_t id;
    const struct operation *operation;
    void *context; // of the operation
    struct watch input, output, errors, status;
    struct sink sink;
    struct source sources[2];
    pid_t pid; // 0: no child, or it was collected
    pid_t group;
    int wait_status;
    bool collected;
    bool terminal;
    bool status_ended;
    bool opened; // OPENED may be sent
    bool opened_sent;
    bool done;         // the last frame is in the outbox
    uint64_t deadline; // of the operation itself; 0: none
    uint8_t *record;   // status records of the child, as far as they were read
    size_t record_length, record_capacity;
    uint8_t final_type; // 0: not known yet
    uint8_t *final;
    size_t final_length;
};

struct channel *channel_new(uint32_t id, const struct operation *operation);
// Frees everything; what still runs is ended, as the protocol says for CLOSE.
void channel_free(struct channel *channel);
// Sets the frame that ends the channel. The first one counts.
void channel_finish(struct channel *channel, uint8_t type, const void *payload, size_t length);
void channel_fail(struct channel *channel, const struct failure *failure);
size_t failure_fields(const struct failure *failure, uint8_t *buffer, size_t capacity);
// Moves what can be moved, at most one frame per stream. True when it put something into the outbox.
bool channel_pump(struct channel *channel, struct outbox *out);
// The child ended.
void channel_collect(struct channel *channel, int wait_status);
// A frame of the host for this channel, except OPEN and CLOSE. False: the channel broke the protocol.
bool channel_receive(struct channel *channel, const struct frame *frame);
bool channel_sources_ended(const struct channel *channel);
bool channel_sources_waiting(const struct channel *channel);
