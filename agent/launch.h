// What a child does on its way from fork to execve, whatever it is started for. Everything that touches the guest's
// files happens here, so that a file system that hangs cannot hold up the agent. What fails is reported, and ends it.
#pragma once

#include "fields.h"
#include "users.h"

enum { LAUNCH_ARGV = 2, LAUNCH_ENV = 3, LAUNCH_FOLDER = 4, LAUNCH_USER = 5 };

char **launch_argv(struct fields request);
// By the guest's own files; root when none is asked for.
struct user *launch_user(struct fields request);
void launch_become(const struct user *user);
// argv[0] is looked up in the PATH of the environment.
_Noreturn void launch_execute(char **argv, char **environment);
