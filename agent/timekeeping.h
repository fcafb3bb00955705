// The wall clock and the kernel's random pool, set from what the host knows.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Milliseconds since the epoch.
uint64_t clock_wall_ms(void);
// Sets the clock when it is a quarter of a second behind, or a minute ahead; 0 is ignored.
void clock_step(uint64_t wall_ns);
// Sets the clock to the time of the launch and what has passed since, unless it is later already.
void clock_advance_ms(uint64_t launched_ms);
void entropy_add(const uint8_t *bytes, size_t length);
