// The scroll-back of detached commands.
#include <stdlib.h>
#include <string.h>

#include "scrollback.h"
#include "unit.h"

static void add(struct scrollback *scrollback, uint8_t stream, const char *text) {
    scrollback_append(scrollback, stream, (const uint8_t *)text, strlen(text));
}

static bool is_at(const struct scrollback *scrollback, uint64_t offset, uint8_t stream, const char *text) {
    struct scrollback_part part = scrollback_at(scrollback, offset);
    return part.length == strlen(text) && part.stream == stream && memcmp(part.bytes, text, part.length) == 0;
}

static void keeps_streams_in_order(void) {
    struct scrollback scrollback;
    CHECK(scrollback_init(&scrollback));
    CHECK(scrollback_at(&scrollback, 0).length == 0);
    add(&scrollback, 1, "one ");
    add(&scrollback, 1, "two");
    add(&scrollback, 2, "err");
    add(&scrollback, 1, "three");
    CHECK(is_at(&scrollback, 0, 1, "one two") && is_at(&scrollback, 4, 1, "two"));
    CHECK(is_at(&scrollback, 7, 2, "err") && is_at(&scrollback, 9, 2, "r"));
    CHECK(is_at(&scrollback, 10, 1, "three") && scrollback_at(&scrollback, 15).length == 0);
    scrollback_free(&scrollback);
}

static void tells_where_lines_begin(void) {
    struct scrollback scrollback;
    CHECK(scrollback_init(&scrollback));
    CHECK(scrollback_tail(&scrollback, 3) == 0);
    add(&scrollback, 1, "a\nbb\n");
    add(&scrollback, 2, "cc");
    CHECK(scrollback_tail(&scrollback, 0) == 7 && scrollback_tail(&scrollback, 1) == 5);
    CHECK(scrollback_tail(&scrollback, 2) == 2 && scrollback_tail(&scrollback, 9) == 0);
    add(&scrollback, 1, "\n");
    CHECK(scrollback_tail(&scrollback, 1) == 5);
    scrollback_free(&scrollback);
}

// Against a plain copy of everything, with pieces of every size.
static void forgets_the_oldest_only(void) {
    enum { TOTAL = 3 * SCROLLBACK_BYTES };
    struct scrollback scrollback;
    uint8_t *all = malloc(TOTAL);
    uint8_t *streams = malloc(TOTAL);
    size_t used = 0;
    unsigned seed = 7;
    CHECK(scrollback_init(&scrollback));
    while (all && streams && used < TOTAL) {
        seed = seed * 1103515245 + 12345;
        size_t length = (seed >> 8) % ((seed >> 4) % 20 == 0 ? 40000 : 200) + 1;
        uint8_t stream = (uint8_t)(1 + (seed >> 20) % 2);
        if (length > TOTAL - used) length = TOTAL - used;
        for (size_t i = 0; i < length; i++) all[used + i] = (uint8_t)(used + i) ^ (uint8_t)((used + i) >> 8);
        memset(streams + used, stream, length);
        scrollback_append(&scrollback, stream, all + used, length);
        used += length;
    }
    CHECK(scrollback.end == TOTAL && scrollback.end - scrollback.start <= SCROLLBACK_BYTES);
    CHECK(scrollback.end - scrollback.start > SCROLLBACK_BYTES / 2);
    uint64_t at = scrollback.start;
    bool same = true;
    for (struct scrollback_part part; (part = scrollback_at(&scrollback, at)).length; at += part.length) {
        same &= memcmp(part.bytes, all + at, part.length) == 0;
        for (size_t i = 0; i < part.length; i++) same &= streams[at + i] == part.stream;
    }
    CHECK(same && at == TOTAL);
    scrollback_free(&scrollback);
    free(all);
    free(streams);
}

static void takes_more_than_it_keeps(void) {
    struct scrollback scrollback;
    uint8_t *much = calloc(2, SCROLLBACK_BYTES);
    CHECK(scrollback_init(&scrollback) && much);
    much[2 * SCROLLBACK_BYTES - 1] = 'z';
    add(&scrollback, 2, "gone");
    scrollback_append(&scrollback, 1, much, 2 * SCROLLBACK_BYTES);
    CHECK(scrollback.start == SCROLLBACK_BYTES + 4 && scrollback.end == 2 * SCROLLBACK_BYTES + 4);
    CHECK(is_at(&scrollback, scrollback.end - 1, 1, "z") && scrollback_at(&scrollback, scrollback.start).stream == 1);
    scrollback_free(&scrollback);
    free(much);
}

static void forgets_when_the_streams_alternate(void) {
    struct scrollback scrollback;
    CHECK(scrollback_init(&scrollback));
    for (int i = 0; i < 3 * SCROLLBACK_PIECES; i++) add(&scrollback, (uint8_t)(1 + i % 2), "x");
    CHECK(scrollback.start == 2 * SCROLLBACK_PIECES && scrollback.end == 3 * SCROLLBACK_PIECES);
    CHECK(is_at(&scrollback, scrollback.start, 1, "x") && is_at(&scrollback, scrollback.end - 1, 2, "x"));
    scrollback_free(&scrollback);
}

static void stays_small_without_a_budget(void) {
    struct scrollback scrollback;
    uint8_t some[SCROLLBACK_FIRST_BYTES] = {0};
    scrollback_set_budget(0);
    CHECK(scrollback_init(&scrollback));
    for (int i = 0; i < 4; i++) scrollback_append(&scrollback, 1, some, sizeof some - 1);
    CHECK(scrollback.end - scrollback.start == SCROLLBACK_FIRST_BYTES);
    scrollback_set_budget((size_t)8 << 20);
    scrollback_append(&scrollback, 1, some, sizeof some);
    CHECK(scrollback.end - scrollback.start == SCROLLBACK_FIRST_BYTES);
    scrollback_free(&scrollback);
}

void scrollback_tests(void) {
    test("scroll-back: streams in order", keeps_streams_in_order);
    test("scroll-back: lines of the end", tells_where_lines_begin);
    test("scroll-back: the oldest is forgotten", forgets_the_oldest_only);
    test("scroll-back: more than it keeps", takes_more_than_it_keeps);
    test("scroll-back: alternating streams", forgets_when_the_streams_alternate);
    test("scroll-back: without a budget", stays_small_without_a_budget);
}
