#include "scrollback.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PIECES = 16 };

static size_t budget = (size_t)8 << 20;
static size_t spent;

void scrollback_set_budget(size_t bytes) {
    budget = bytes;
}

bool scrollback_is_crowded(void) {
    return spent + SCROLLBACK_BYTES > budget;
}

bool scrollback_init(struct scrollback *scrollback) {
    *scrollback = (struct scrollback){
        .bytes = malloc(SCROLLBACK_FIRST_BYTES),
        .capacity = SCROLLBACK_FIRST_BYTES,
        .pieces = malloc(FIRST_PIECES * sizeof(struct scrollback_piece)),
        .piece_capacity = FIRST_PIECES,
    };
    spent += scrollback->capacity;
    if (scrollback->bytes && scrollback->pieces) return true;
    scrollback_free(scrollback);
    return false;
}

void scrollback_free(struct scrollback *scrollback) {
    spent -= scrollback->capacity;
    free(scrollback->bytes);
    free(scrollback->pieces);
    *scrollback = (struct scrollback){0};
}

static struct scrollback_piece *piece(const struct scrollback *scrollback, uint64_t number) {
    return &scrollback->pieces[number % scrollback->piece_capacity];
}

// Both rings only grow as long as nothing was forgotten: until then offset and index are the same.
static void grow_bytes(struct scrollback *scrollback, size_t more) {
    size_t wanted = scrollback->capacity;
    while (wanted < SCROLLBACK_BYTES && wanted - scrollback->end < more) wanted *= 2;
    size_t extra = wanted - scrollback->capacity;
    if (extra == 0 || spent + extra > budget) return;
    uint8_t *grown = realloc(scrollback->bytes, wanted);
    if (!grown) return;
    scrollback->bytes = grown;
    scrollback->capacity = wanted;
    spent += extra;
}

static bool grow_pieces(struct scrollback *scrollback) {
    size_t wanted = scrollback->piece_capacity * 2;
    if (scrollback->piece_end > scrollback->piece_capacity || wanted > SCROLLBACK_PIECES) return false;
    struct scrollback_piece *grown = realloc(scrollback->pieces, wanted * sizeof *grown);
    if (!grown) return false;
    scrollback->pieces = grown;
    scrollback->piece_capacity = wanted;
    return true;
}

// Up to `start`, which is not past the end.
static void forget(struct scrollback *scrollback, uint64_t start) {
    scrollback->start = start;
    while (scrollback->piece_end - scrollback->piece_start > 1 &&
           piece(scrollback, scrollback->piece_start + 1)->start <= start) {
        scrollback->piece_start++;
    }
}

static void begin_piece(struct scrollback *scrollback, uint8_t stream) {
    uint64_t count = scrollback->piece_end - scrollback->piece_start;
    if (count && piece(scrollback, scrollback->piece_end - 1)->stream == stream) return;
    if (count == scrollback->piece_capacity && !grow_pieces(scrollback)) {
        forget(scrollback, piece(scrollback, scrollback->piece_start + 1)->start);
    }
    *piece(scrollback, scrollback->piece_end++) = (struct scrollback_piece){scrollback->end, stream};
}

static void copy_in(struct scrollback *scrollback, const uint8_t *bytes, size_t length) {
    size_t at = (size_t)(scrollback->end % scrollback->capacity);
    size_t first = scrollback->capacity - at;
    if (first > length) first = length;
    memcpy(scrollback->bytes + at, bytes, first);
    memcpy(scrollback->bytes, bytes + first, length - first);
    scrollback->end += length;
}

void scrollback_append(struct scrollback *scrollback, uint8_t stream, const uint8_t *bytes, size_t length) {
    if (length == 0) return;
    begin_piece(scrollback, stream);
    if (scrollback->start == 0 && scrollback->end <= scrollback->capacity) grow_bytes(scrollback, length);
    if (length > scrollback->capacity) {
        size_t skipped = length - scrollback->capacity;
        scrollback->end += skipped;
        bytes += skipped;
        length = scrollback->capacity;
    }
    copy_in(scrollback, bytes, length);
    if (scrollback->end - scrollback->start > scrollback->capacity) {
        forget(scrollback, scrollback->end - scrollback->capacity);
    }
}

// The last piece that begins at or before the offset.
static uint64_t find_piece(const struct scrollback *scrollback, uint64_t offset) {
    uint64_t low = scrollback->piece_start;
    uint64_t high = scrollback->piece_end;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (piece(scrollback, middle)->start <= offset) low = middle;
        else high = middle;
    }
    return low;
}

struct scrollback_part scrollback_at(const struct scrollback *scrollback, uint64_t offset) {
    if (offset >= scrollback->end) return (struct scrollback_part){NULL, 0, 0};
    uint64_t number = find_piece(scrollback, offset);
    bool is_last = number + 1 == scrollback->piece_end;
    uint64_t end = is_last ? scrollback->end : piece(scrollback, number + 1)->start;
    size_t at = (size_t)(offset % scrollback->capacity);
    size_t length = scrollback->capacity - at;
    if (length > end - offset) length = (size_t)(end - offset);
    return (struct scrollback_part){scrollback->bytes + at, length, piece(scrollback, number)->stream};
}

uint64_t scrollback_tail(const struct scrollback *scrollback, uint64_t lines) {
    uint64_t at = scrollback->end;
    if (lines == 0) return at;
    while (at > scrollback->start) {
        bool is_break = scrollback->bytes[(at - 1) % scrollback->capacity] == '\n';
        if (is_break && at != scrollback->end && --lines == 0) return at;
        at--;
    }
    return at;
}
