// Kernel modules of the initramfs.
#pragma once

// Changes the working folder. Loads what /modules.list names, in its order. A failure is logged; whether it matters shows later.
void modules_load(void);
