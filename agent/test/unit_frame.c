#include "frame.h"

#include <string.h>

#include "unit.h"

static size_t make(uint8_t *to, uint8_t type, uint32_t channel, const char *payload) {
    uint32_t length = (uint32_t)strlen(payload);
    memcpy(to + FRAME_HEADER, payload, length);
    frame_wrap(to, &(struct frame){.type = type, .stream = 2, .channel = channel, .length = length});
    return length + FRAME_OVERHEAD;
}

static void round_trip(void) {
    uint8_t bytes[128] = {0};
    size_t size = make(bytes + 3, FRAME_DATA, 0x01020304, "hello"); // after three bytes of padding
    size_t used;
    struct frame frame;
    for (size_t have = 0; have < size + 3; have++) {
        CHECK(frame_next(bytes, have, &used, &frame) == FRAME_MORE);
        CHECK(used == (have < 3 ? have : 3));
    }
    CHECK(frame_next(bytes, sizeof bytes, &used, &frame) == FRAME_READY);
    CHECK(used == size + 3 && frame.type == FRAME_DATA && frame.stream == 2 && frame.channel == 0x01020304);
    CHECK(frame.length == 5 && memcmp(frame.payload, "hello", 5) == 0);
}

static void cut_at_every_byte(void) {
    static uint8_t bytes[2 * FRAME_MAX];
    uint8_t whole[64];
    size_t size = make(whole, FRAME_DATA, 7, "twelve bytes");
    for (size_t cut = 0; cut < size; cut++) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, whole, cut);
        size_t next = cut + FRAME_MAX; // the resynchronisation of a new host
        make(bytes + next, FRAME_HELLO, 0, "x");
        size_t at = 0;
        struct frame frame = {0};
        enum frame_status status;
        do {
            size_t used;
            status = frame_next(bytes + at, sizeof bytes - at, &used, &frame);
            at += used;
            CHECK(status == FRAME_CUT || status == FRAME_READY);
        } while (status == FRAME_CUT);
        CHECK(status == FRAME_READY && frame.type == FRAME_HELLO && at == next + 17);
    }
}

static void longest_frame_is_completed_by_the_zeros(void) {
    static uint8_t bytes[FRAME_HEADER + FRAME_MAX];
    memset(bytes, 0, sizeof bytes);
    frame_wrap(bytes, &(struct frame){.type = FRAME_DATA});
    memset(bytes + FRAME_HEADER, 0, FRAME_TRAILER);
    bytes[10] = 1; // length 65536
    size_t used;
    struct frame frame;
    CHECK(frame_next(bytes, FRAME_HEADER + FRAME_MAX, &used, &frame) == FRAME_CUT);
    CHECK(used == FRAME_MAX);
}

static void malformed(void) {
    uint8_t bytes[64];
    size_t used;
    struct frame frame;
    size_t size = make(bytes, FRAME_PING, 0, "abc");
    bytes[size - 1] = 'X';
    memset(bytes + size, 'z', sizeof bytes - size);
    CHECK(frame_next(bytes, sizeof bytes, &used, &frame) == FRAME_BAD && used > 0);
    memcpy(bytes, "GET / HTTP/1.1\r\n", 16);
    CHECK(frame_next(bytes, 16, &used, &frame) == FRAME_BAD && used == 16);
    make(bytes, FRAME_PING, 0, "abc");
    bytes[10] = 2; // length 131075
    CHECK(frame_next(bytes, sizeof bytes, &used, &frame) == FRAME_BAD);
    memcpy(bytes, "xy\0\xBA\x6E", 5);
    CHECK(frame_next(bytes, 5, &used, &frame) == FRAME_BAD && used == 2); // goes on at the zero
}

void frame_tests(void) {
    test("frame: parses what it wrote, at any split", round_trip);
    test("frame: a frame cut anywhere and zeros are dropped", cut_at_every_byte);
    test("frame: the zeros of a new host complete the longest frame", longest_frame_is_completed_by_the_zeros);
    test("frame: what is not a frame is refused", malformed);
}
