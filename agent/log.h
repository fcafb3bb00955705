// One line for the operator: the kernel log in a guest, standard error in test mode.
#pragma once

enum log_target { LOG_STDERR, LOG_KERNEL };

void log_to(enum log_target target);
// For a process that loses sight of /dev, and those that it forks: the kernel's log stays open until it lets go.
void log_keep(void);
void log_let_go(void);
// Writes "banger-agent: <line>". Never blocks on a guest process.
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same on the console, where the operator sees it even with `quiet`.
void log_console(const char *format, ...) __attribute__((format(printf, 1, 2)));
