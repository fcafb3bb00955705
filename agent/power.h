// The end of the machine.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

// A signal asked the agent to end. True when it is PID 1 and now powers the machine off; false: just stop.
bool power_signal(void);
// Drives a power-off in progress. Returns ms until it wants to be called again, -1 when idle.
int power_tick(void);
void power_collected(pid_t pid);
// At once and without the loop, for a boot that failed.
_Noreturn void power_off_now(void);
