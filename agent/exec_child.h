// A command's way from fork to execve.
#pragma once

#include "fields.h"

// What needs no request yet; once, before it.
void exec_child_prepare(void);
void exec_child(struct fields request);
