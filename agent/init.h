// Which init an image has.
#pragma once

#include <stddef.h>

#include "machine.h"

// Writes the path to execute; INIT_AGENT when there is none, or the command line says so. The path is then empty, or what the
// command line names and is no program.
enum init_kind init_find(const char *cmdline, char *path, size_t size);
