// From the kernel's first process to a running guest.
#pragma once

// Does the duties of an initramfs. Returns in the process that is to be the agent: a child beside the image's init, or
// the first process itself where the image has none.
void boot(char **argv);
