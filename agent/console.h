// The machine's console as a place for output: what is written to a pipe, a process of its own carries there.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

// The end that a service writes to; made, with the process that empties it, when it is first asked for. -1 with errno.
int console_pipe(void);
// Writes "banger-agent: <line>" in order with what went through the pipe; never waits.
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
// A process ended: were it the one that empties the pipe, another takes its place.
void console_collect(pid_t pid);
// Nothing waits in the pipe.
bool console_is_idle(void);
