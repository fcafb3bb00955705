// A child that was forked before there is a command for it, so that nobody waits for what fork and its aftermath take:
// two milliseconds under emulation.
#pragma once

#include <sys/types.h>

#include "fields.h"
#include "job.h"
#include "pipes.h"

// Hands the request to the spare child, and its pipes to the caller, who closes what it does not use. 0: there is none that
// fits, fork one.
pid_t spare_take(struct pipes *pipes, const struct job *job, struct fields request);
// Makes the next one: not while the command that got the last one has just begun, but when that has ended or runs for a
// while. Returns ms until it asks to be called again, -1 for never.
int spare_tick(void);
void spare_collect(pid_t pid);
