// The environment of a command: the defaults, then what the host asked for.
#pragma once

#include <stdbool.h>

#include "fields.h"
#include "users.h"

// NULL-terminated, from malloc; NULL when out of memory.
char **environment_make(const struct user *user, bool terminal, struct fields request, uint8_t tag);
// What the host asked for is all of it: only PATH and HOME are added where they are missing.
char **environment_complete(const struct user *user, struct fields request, uint8_t tag);
// The value of a variable, or NULL.
const char *environment_get(char *const *environment, const char *name);
