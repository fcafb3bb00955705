// Collects children: the agent's own, and as PID 1 every orphan of the guest.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef void (*reaper_report)(void *context, pid_t pid, int wait_status);

// Collects a bounded number of dead children; true when there may be more.
bool reaper_collect(reaper_report report, void *context);
// Hangs up a process group now and kills it after two seconds, whatever becomes of its channel.
void reaper_end_group(pid_t group, bool leader_alive);
// Asks it to end, and kills it after three seconds.
void reaper_terminate_group(pid_t group);
// Kills the groups that are due. Returns ms until the next one, -1 when none waits.
int reaper_tick(void);
// No group is being ended.
bool reaper_is_idle(void);
void reaper_kill_now(void);
// The leader of a group that is being ended died: forget the group once it is empty.
void reaper_group_leader_died(pid_t group);
