// Whoever is attached to a detached command: each with its own place in the output and its own flow control.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "detached.h"

struct viewer {
    struct detached *command;
    struct viewer *next;
    uint64_t at;   // offset of the next byte to send
    uint64_t lost; // skipped, but the host was not told yet
    bool interactive;
    uint16_t rows;
    uint16_t columns;
};

void viewer_join(struct viewer *viewer, struct detached *command);
void viewer_leave(struct viewer *viewer);
// The terminal's size follows the newest viewer that types.
void viewer_resize(struct viewer *viewer, uint16_t rows, uint16_t columns);
