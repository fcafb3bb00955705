// Bytes on their way to the host: one bounded buffer, filled with whole frames, written in as few calls as possible.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTBOX_CAPACITY = 256 * 1024,
    OUTBOX_REPLY_ROOM = 4096, // kept free of stream data, so that an answer to a request always fits
};

struct outbox {
    uint8_t *data;
    size_t head;
    size_t tail;
};

bool outbox_init(struct outbox *out);
void outbox_clear(struct outbox *out);
size_t outbox_used(const struct outbox *out);
size_t outbox_room(const struct outbox *out);
// Of the room, what a stream may take: a full outbox that leaves in small pieces must not be moved for each of them, so
// what is free at the front counts only once no more waits than was sent, which bounds the moving to one copy a byte.
size_t outbox_stream_room(const struct outbox *out);
// Room for a frame with up to `payload` bytes; the caller fills in the payload at the returned address and commits.
uint8_t *outbox_reserve(struct outbox *out, size_t payload);
void outbox_commit(struct outbox *out, uint8_t type, uint8_t stream, uint32_t channel, size_t payload);
// A whole frame, or false when there is no room now.
bool outbox_frame(struct outbox *out, uint8_t type, uint32_t channel, const void *payload, size_t length);
bool outbox_stream_frame(struct outbox *out, uint8_t type, uint8_t stream, uint32_t channel, const void *payload,
                         size_t length);
void outbox_raw(struct outbox *out, const void *bytes, size_t length);
// Writes what it can. Returns 1 when empty, 0 when the descriptor takes no more now, -1 when it is broken.
int outbox_flush(struct outbox *out, int fd);
