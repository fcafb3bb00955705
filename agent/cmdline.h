// The kernel command line, which carries the machine's configuration. The parsing is pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CMDLINE_MAX = 4096, CMDLINE_VALUE_MAX = 512 };

void cmdline_read(char *to, size_t size);
// The last value of key, percent-decoded. False when absent, empty, too long, or badly encoded.
bool cmdline_get(const char *cmdline, const char *key, char *value, size_t size);
