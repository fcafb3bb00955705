#include "frame.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"

static const uint8_t magic[2] = {0xBA, 0x6E};
static const uint8_t trailer[FRAME_TRAILER] = {'B', 'N', 'G', 'R'};

static size_t skip_to_zero(const uint8_t *data, size_t length) {
    const uint8_t *zero = memchr(data, 0, length);
    return zero ? (size_t)(zero - data) : length;
}

// The old host may have vanished within the trailer too, so its first bytes may be right before the zeros start.
static bool is_cut(const uint8_t *at) {
    size_t good = 0;
    while (good < FRAME_TRAILER && at[good] == trailer[good]) good++;
    for (size_t i = good; i < FRAME_TRAILER; i++) {
        if (at[i] != 0) return false;
    }
    return good < FRAME_TRAILER;
}

static enum frame_status bad(const uint8_t *data, size_t length, size_t start, size_t *used) {
    *used = start + 1 + skip_to_zero(data + start + 1, length - start - 1);
    return FRAME_BAD;
}

enum frame_status frame_next(const uint8_t *data, size_t length, size_t *used, struct frame *frame) {
    size_t start = 0;
    while (start < length && data[start] == 0) start++;
    *used = start;
    const uint8_t *at = data + start;
    size_t left = length - start;
    if (left == 0) return FRAME_MORE;
    if (at[0] != magic[0]) return bad(data, length, start, used);
    if (left < 2) return FRAME_MORE;
    if (at[1] == 0) {
        *used = start + 1;
        return FRAME_CUT;
    }
    if (at[1] != magic[1]) return bad(data, length, start, used);
    if (left < FRAME_HEADER) return FRAME_MORE;
    uint32_t payload = get_u32(at + 8);
    if (payload > FRAME_PAYLOAD_MAX) return bad(data, length, start, used);
    if (left < payload + FRAME_OVERHEAD) return FRAME_MORE;

    const uint8_t *end = at + FRAME_HEADER + payload;
    if (memcmp(end, trailer, FRAME_TRAILER) != 0) {
        if (!is_cut(end)) return bad(data, length, start, used);
        *used = start + payload + FRAME_OVERHEAD;
        return FRAME_CUT;
    }
    *used = start + payload + FRAME_OVERHEAD;
    *frame = (struct frame){
        .type = at[2], .stream = at[3], .channel = get_u32(at + 4), .length = payload, .payload = at + FRAME_HEADER};
    return FRAME_READY;
}

void frame_wrap(uint8_t *to, const struct frame *frame) {
    memcpy(to, magic, sizeof magic);
    to[2] = frame->type;
    to[3] = frame->stream;
    put_u32(to + 4, frame->channel);
    put_u32(to + 8, frame->length);
    memcpy(to + FRAME_HEADER + frame->length, trailer, FRAME_TRAILER);
}
