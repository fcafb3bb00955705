// The CPUs that the kernel was told to leave alone while it boots (maxcpus=).
#pragma once

#include <stdbool.h>

// Where their switches are. Before the root disk is entered: /sys moves there, and another root does not see it any more. False: logged.
bool cpus_open(void);
// Sets them to work. A failure is logged: the machine is slower then, not broken.
void cpus_start(void);
