// Readiness: edge-triggered epoll that only sets flags. Whoever owns a watch acts on its flags and clears one
// when the kernel said EAGAIN. Nothing is ever called back, so nothing can be freed under an event's feet.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct watch {
    int fd; // -1: none
    bool readable;
    bool writable;
    bool hangup;
};

#define WATCH_NONE ((struct watch){.fd = -1})

bool loop_start(void);
// Takes the descriptor over; false (and the descriptor closed) when the kernel refuses.
bool watch_add(struct watch *watch, int fd);
void watch_close(struct watch *watch);
// Waits up to timeout_ms (-1: for ever) and sets the flags of what became ready.
void loop_wait(int timeout_ms);
// Monotonic milliseconds, as of the last loop_wait or loop_tick.
uint64_t loop_now(void);
void loop_tick(void);
