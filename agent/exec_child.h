// The child's way from fork to execve. Everything that touches the guest's files happens here, so that a file system
// that hangs cannot hold up the agent.
#pragma once

#include "fields.h"

void exec_child(struct fields request);
