// The CPUs that the kernel was told to leave alone while it boots (maxcpus=).
#pragma once

// Sets them to work. A failure is logged: the machine is slower then, not broken.
void cpus_start(void);
