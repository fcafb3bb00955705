// Kernel modules of the initramfs.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Changes the working folder. Loads what /modules.list names, in its order. A failure is logged; whether it matters shows later.
// With `banger.modules_checked` on the command line the kernel need not check their signatures.
void modules_load(const char *cmdline);

// Of a module without the signature behind it.
size_t module_unsigned_size(const uint8_t *module, size_t size);
