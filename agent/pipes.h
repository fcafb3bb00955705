// The pipes between the agent and a child of it.
#pragma once

#include <stdbool.h>

#include "job.h"

// The first four are the child's descriptors of that number; 4 is there only while a spare one waits for its request.
enum { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPE_STATUS, PIPE_REQUEST, PIPES };

struct pipes {
    int child[PIPES]; // -1: none
    int ours[PIPES];
};

// False with errno set, and without any, when one cannot be made.
bool pipes_make(struct pipes *pipes, const struct job *job);
// The agent's side of a fork: the child's ends are the child's alone.
void pipes_leave_child(struct pipes *pipes);
// The child's side of a fork: its ends become its descriptors, and it has no others.
void pipes_enter(const struct pipes *pipes, const struct job *job);
// Keeps errno.
void pipes_close(struct pipes *pipes);
