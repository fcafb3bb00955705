// What the agent changes about its own process, and what a child must get back.
#pragma once

// Signals, limits, OOM protection; once, at the start of the agent.
void process_setup(void);
// A signalfd for SIGCHLD, SIGTERM, SIGINT and the init's shutdown signals; these are blocked from then on.
int process_signal_fd(void);
// In a forked child: default signals, empty mask, limits and OOM score as they were.
void process_child_setup(void);
void process_close_from(int fd);
int process_null_fd(void);
// Makes the agent visible under its name; argv[0] then starts with `@`, which systemd's last killing spree spares.
void process_rename(char **argv);
