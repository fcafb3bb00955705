// A command's way from fork to execve.
#pragma once

#include "fields.h"

void exec_child(struct fields request);
