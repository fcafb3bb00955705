#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

bool outbox_init(struct outbox *out) {
    *out = (struct outbox){.data = malloc(OUTBOX_CAPACITY)};
    return out->data != NULL;
}

void outbox_clear(struct outbox *out) {
    out->head = out->tail = 0;
}

size_t outbox_used(const struct outbox *out) {
    return out->tail - out->head;
}

size_t outbox_room(const struct outbox *out) {
    return OUTBOX_CAPACITY - outbox_used(out);
}

size_t outbox_stream_room(const struct outbox *out) {
    return outbox_used(out) <= out->head ? outbox_room(out) : OUTBOX_CAPACITY - out->tail;
}

static uint8_t *make_room(struct outbox *out, size_t size) {
    if (size > outbox_room(out)) return NULL;
    if (out->head == out->tail) outbox_clear(out);
    if (size > OUTBOX_CAPACITY - out->tail) {
        memmove(out->data, out->data + out->head, outbox_used(out));
        out->tail -= out->head;
        out->head = 0;
    }
    return out->data + out->tail;
}

uint8_t *outbox_reserve(struct outbox *out, size_t payload) {
    uint8_t *at = make_room(out, payload + FRAME_OVERHEAD);
    return at ? at + FRAME_HEADER : NULL;
}

void outbox_commit(struct outbox *out, uint8_t type, uint8_t stream, uint32_t channel, size_t payload) {
    frame_wrap(out->data + out->tail,
               &(struct frame){.type = type, .stream = stream, .channel = channel, .length = (uint32_t)payload});
    out->tail += payload + FRAME_OVERHEAD;
}

bool outbox_stream_frame(struct outbox *out, uint8_t type, uint8_t stream, uint32_t channel, const void *payload,
                         size_t length) {
    uint8_t *at = outbox_reserve(out, length);
    if (!at) return false;
    if (length) memcpy(at, payload, length);
    outbox_commit(out, type, stream, channel, length);
    return true;
}

bool outbox_frame(struct outbox *out, uint8_t type, uint32_t channel, const void *payload, size_t length) {
    return outbox_stream_frame(out, type, 0, channel, payload, length);
}

void outbox_raw(struct outbox *out, const void *bytes, size_t length) {
    uint8_t *at = make_room(out, length);
    if (!at) return;
    memcpy(at, bytes, length);
    out->tail += length;
}

int outbox_flush(struct outbox *out, int fd) {
    while (out->head < out->tail) {
        ssize_t wrote = write(fd, out->data + out->head, outbox_used(out));
        if (wrote > 0) {
            out->head += (size_t)wrote;
        } else if (wrote < 0 && errno == EAGAIN) {
            return 0;
        } else if (wrote == 0 || errno != EINTR) {
            return -1;
        }
    }
    outbox_clear(out);
    return 1;
}
