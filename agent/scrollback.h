// The last output of a detached command, both streams in the order in which they came. Offsets count all bytes that
// ever went in, so that a reader knows what it missed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCROLLBACK_BYTES = 256 * 1024,
    SCROLLBACK_PIECES = 4096,
    SCROLLBACK_FIRST_BYTES = 4096, // what a quiet command costs
};

// A change of the stream.
struct scrollback_piece {
    uint64_t start;
    uint8_t stream;
};

struct scrollback {
    uint8_t *bytes;
    size_t capacity;
    struct scrollback_piece *pieces;
    size_t piece_capacity;
    uint64_t piece_start; // number of the first piece that is kept
    uint64_t piece_end;
    uint64_t start; // offset of the first byte that is kept
    uint64_t end;
};

// What can be read at an offset: bytes of one stream, without a copy.
struct scrollback_part {
    const uint8_t *bytes;
    size_t length; // 0: nothing yet
    uint8_t stream;
};

// Memory of all scroll-backs together; past it they forget earlier instead of growing.
void scrollback_set_budget(size_t bytes);
// One more could not become as large as it may.
bool scrollback_is_crowded(void);

bool scrollback_init(struct scrollback *scrollback);
void scrollback_free(struct scrollback *scrollback);
void scrollback_append(struct scrollback *scrollback, uint8_t stream, const uint8_t *bytes, size_t length);
// `offset` is not before scrollback->start.
struct scrollback_part scrollback_at(const struct scrollback *scrollback, uint64_t offset);
// Where the last `lines` lines begin, as far as they are kept. A text without a line break at its end ends in a line too.
uint64_t scrollback_tail(const struct scrollback *scrollback, uint64_t lines);
