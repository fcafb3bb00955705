// Frames of the guest protocol: a pure parser and encoder, no I/O and no memory of their own.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_HEADER = 12,
    FRAME_TRAILER = 4,
    FRAME_OVERHEAD = FRAME_HEADER + FRAME_TRAILER,
    FRAME_PAYLOAD_MAX = 65536,
    FRAME_MAX = FRAME_PAYLOAD_MAX + FRAME_OVERHEAD,
    FRAME_DATA_MAX = 32768 - FRAME_OVERHEAD, // a whole frame is then one write of the virtio-console driver
};

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_HELLO_OK = 2,
    FRAME_PING = 3,
    FRAME_PONG = 4,
    FRAME_OPEN = 16,
    FRAME_OPENED = 17,
    FRAME_DATA = 18,
    FRAME_EOF = 19,
    FRAME_CREDIT = 20,
    FRAME_RESIZE = 21,
    FRAME_SIGNAL = 22,
    FRAME_RESULT = 23,
    FRAME_ERROR = 24,
    FRAME_CLOSE = 25,
    FRAME_LOST = 26,
};

struct frame {
    uint8_t type;
    uint8_t stream;
    uint32_t channel;
    uint32_t length;
    const uint8_t *payload;
};

enum frame_status {
    FRAME_MORE,  // not enough bytes yet
    FRAME_READY, // *frame is filled; its payload points into the data
    FRAME_CUT,   // a frame that a new host cut off with zero bytes: dropped
    FRAME_BAD,   // not the protocol: dropped up to the next zero byte
};

// Looks at the start of data. *used is how many bytes the caller drops afterwards, for every status.
enum frame_status frame_next(const uint8_t *data, size_t length, size_t *used, struct frame *frame);

// Writes header and trailer around a payload of frame->length bytes that is (or will be) at to + FRAME_HEADER.
void frame_wrap(uint8_t *to, const struct frame *frame);
