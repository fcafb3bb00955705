// A child process that does a channel's work: a guest command, or the agent's own code for whatever may block.
// It talks through pipes: 0, 1, 2 as any process, and 3 for status records, each of them a frame in the making.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "fields.h"

enum { JOB_STATUS_FD = 3 };

struct job {
    // Runs in the child and does not return. The request's bytes are the child's own copy.
    void (*run)(struct fields request);
    bool input;
    bool output;
    bool errors;
    int terminal; // -1, or what becomes 0, 1 and 2: a terminal, or a pipe to somewhere else
    bool without_input; // 0 is empty all the same
    bool request_later; // it comes through descriptor 4
};

// Forks and wires the channel to the child.
struct failure job_start(struct channel *channel, const struct job *job, struct fields request);
// Reads what the child reported. A record becomes the channel's OPENED or its final frame.
void job_read_status(struct channel *channel);

// How a process ended, as exec tells it.
void job_write_end(struct field_writer *result, int wait_status);

// For the child.
void job_report(uint8_t type, const void *payload, size_t length);
_Noreturn void job_finish(const struct field_writer *result);
_Noreturn void job_fail(const char *code, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
// The code that fits an errno of a file operation.
const char *job_error_code(int error);
