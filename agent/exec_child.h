// A command's way from fork to execve.
#pragma once

#include "fields.h"

void exec_child(struct fields request);
// Does for nothing what every command does before execve, in a child that waits for one: its pages are its own then. Of the
// ten that a command writes to each would be a page fault, half a millisecond together under emulation.
void exec_child_rehearse(void);
