// The service as the first process of a numbering of its own, as in a container: it is process 1, what it leaves behind is
// handed to it, and all of it ends when it does.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

// The next child is such a process. False where the kernel knows no PID namespaces.
bool first_process_begin(void);
// Children are numbered as the agent is again.
void first_process_end(void);
// In the child: gives it a /proc that shows what it can see. False with errno.
bool first_process_enter(void);
// A first process never gets a signal that it neither handles nor blocks nor waits for: the kernel drops it. One that it ignores
// counts as heard.
bool first_process_hears(pid_t pid, int number);
