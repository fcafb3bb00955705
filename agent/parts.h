// Parts of the boot that happen beside the rest, each in a process of its own.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum { PARTS_MAX = 4 };

// Runs a part beside the rest; a machine that cannot do that does it at once.
void part_start(void (*part)(const char *), const char *cmdline);
// In a part: what follows is nothing that anybody has to wait for, and leaves the CPUs to others.
void part_is_done(void);
// In the process that started them, after the last: no more begin.
void parts_are_all(void);
// Waits until all that had to be done is done. Cheap when it is, also in a child of the process that started them.
void parts_wait(void);
// In the process that started them: waits for their ends, also of what nobody waits for.
void parts_collect(void);
