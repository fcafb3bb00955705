// Feeds the frame parser as the session does, and every payload to the field reader.
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct frame *frame) {
    uint8_t *copy = malloc(frame->length + FRAME_OVERHEAD);
    struct frame again;
    size_t used;
    if (frame->length) memcpy(copy + FRAME_HEADER, frame->payload, frame->length);
    frame_wrap(copy, frame);
    if (frame_next(copy, frame->length + FRAME_OVERHEAD, &used, &again) != FRAME_READY) abort();
    if (used != frame->length + FRAME_OVERHEAD || again.channel != frame->channel) abort();
    free(copy);
}

static void read_fields(const struct frame *frame) {
    struct fields fields = {frame->payload, frame->length};
    struct field field;
    volatile uint8_t sum = 0;
    for (unsigned tag = 0; tag < 10; tag++) {
        free(fields_text(fields, (uint8_t)tag));
        fields_number(fields, (uint8_t)tag, 0);
    }
    while (fields_next(&fields, &field)) {
        for (size_t i = 0; i < field.length; i++) sum = (uint8_t)(sum + field.bytes[i]);
    }
    if (fields_valid(frame->payload, frame->length) != (fields.left == 0)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1); // of the exact size, so that the sanitizer sees one byte too much
    memcpy(copy, data, size);
    size_t at = 0;
    for (;;) {
        size_t used;
        struct frame frame;
        enum frame_status status = frame_next(copy + at, size - at, &used, &frame);
        if (used > size - at || (status != FRAME_MORE && used == 0)) abort();
        if (status == FRAME_READY) {
            read_fields(&frame);
            check_round_trip(&frame);
        }
        at += used;
        if (status == FRAME_MORE) break;
    }
    if (size - at >= FRAME_MAX) abort(); // more than the longest frame must be a decision
    free(copy);
    return 0;
}
