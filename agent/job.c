#include "job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "channel.h"
#include "frame.h"
#include "pipes.h"
#include "spare.h"

enum { RECORD_HEADER = 5, RECORD_MAX = RECORD_HEADER + FRAME_PAYLOAD_MAX, READ_AT_ONCE = 4096 };

static bool attach(struct channel *channel, struct pipes *pipes) {
    struct watch *watches[] = {&channel->input, &channel->output, &channel->errors, &channel->status};
    bool ok = true;
    for (int i = PIPE_IN; i <= PIPE_STATUS; i++) {
        if (pipes->ours[i] < 0) continue;
        if (!watch_add(watches[i], pipes->ours[i])) ok = false;
        pipes->ours[i] = -1;
    }
    if (!ok) return false;
    if (channel->input.fd >= 0) sink_open(&channel->sink, &channel->input, SINK_PIPE);
    if (channel->output.fd >= 0) source_open(&channel->sources[0], &channel->output, 1, true);
    if (channel->errors.fd >= 0) source_open(&channel->sources[1], &channel->errors, 2, true);
    return true;
}

static struct failure cannot_start(int error) {
    return (struct failure){job_error_code(error), "Cannot start a process", error};
}

static _Noreturn void run_child(const struct pipes *pipes, const struct job *job, struct fields request) {
    pipes_enter(pipes, job);
    job->run(request);
    _exit(127);
}

static pid_t start_process(struct pipes *pipes, const struct job *job, struct fields request) {
    pid_t pid = spare_take(pipes, job, request);
    if (pid > 0) return pid;
    if (!pipes_make(pipes, job)) return -1;
    pid = fork();
    if (pid == 0) run_child(pipes, job, request);
    if (pid < 0) pipes_close(pipes);
    else pipes_leave_child(pipes);
    return pid;
}

struct failure job_start(struct channel *channel, const struct job *job, struct fields request) {
    struct pipes pipes;
    pid_t pid = start_process(&pipes, job, request);
    if (pid < 0) return cannot_start(errno);
    channel->pid = pid;
    bool attached = attach(channel, &pipes);
    pipes_close(&pipes);
    return attached ? NO_FAILURE : (struct failure){"IO", "Cannot watch a process", errno};
}

static void take_record(struct channel *channel, uint8_t type, const uint8_t *payload, uint32_t length) {
    if (type == FRAME_OPENED) {
        channel->opened = true;
    } else if (type == FRAME_RESULT || type == FRAME_ERROR) {
        channel_finish(channel, type, payload, length);
    }
}

static void take_records(struct channel *channel) {
    size_t at = 0;
    while (channel->record_length - at >= RECORD_HEADER) {
        uint32_t length = get_u32(channel->record + at + 1);
        if (length > FRAME_PAYLOAD_MAX || channel->record_length - at - RECORD_HEADER < length) break;
        take_record(channel, channel->record[at], channel->record + at + RECORD_HEADER, length);
        at += RECORD_HEADER + length;
    }
    channel->record_length -= at;
    if (at && channel->record_length) memmove(channel->record, channel->record + at, channel->record_length);
}

static bool record_room(struct channel *channel) {
    if (channel->record_capacity - channel->record_length >= READ_AT_ONCE) return true;
    if (channel->record_capacity > RECORD_MAX + READ_AT_ONCE) return false;
    size_t capacity = channel->record_capacity + 2 * READ_AT_ONCE;
    uint8_t *grown = realloc(channel->record, capacity);
    if (!grown) return false;
    channel->record = grown;
    channel->record_capacity = capacity;
    return true;
}

void job_read_status(struct channel *channel) {
    while (channel->status.readable && record_room(channel)) {
        ssize_t got = read(channel->status.fd, channel->record + channel->record_length, READ_AT_ONCE);
        if (got > 0) {
            channel->record_length += (size_t)got;
            take_records(channel);
        } else if (got < 0 && errno == EAGAIN) {
            channel->status.readable = false;
        } else if (got == 0 || errno != EINTR) {
            watch_close(&channel->status);
            channel->status_ended = true;
        }
    }
}

void job_write_end(struct field_writer *result, int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        write_u32(result, 2, (uint32_t)WTERMSIG(wait_status));
        if (WCOREDUMP(wait_status)) write_u32(result, 3, 1);
    } else {
        write_u32(result, 1, (uint32_t)WEXITSTATUS(wait_status));
    }
}

void job_report(uint8_t type, const void *payload, size_t length) {
    uint8_t header[RECORD_HEADER] = {type};
    put_u32(header + 1, (uint32_t)length);
    const uint8_t *parts[2] = {header, payload};
    size_t sizes[2] = {sizeof header, length};
    for (int i = 0; i < 2; i++) {
        for (size_t done = 0; done < sizes[i];) {
            ssize_t wrote = write(JOB_STATUS_FD, parts[i] + done, sizes[i] - done);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) _exit(127);
            done += (size_t)wrote;
        }
    }
}

void job_finish(const struct field_writer *result) {
    job_report(FRAME_RESULT, result->buffer, result->length);
    _exit(0);
}

void job_fail(const char *code, int error, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (error && length > 0 && length < (int)sizeof message - 2) {
        snprintf(message + length, sizeof message - (size_t)length, ": %s", strerror(error));
    }
    uint8_t payload[1024];
    struct field_writer writer = {payload, sizeof payload, 0, false};
    write_text(&writer, 1, code);
    write_text(&writer, 2, message);
    if (error) write_u32(&writer, 3, (uint32_t)error);
    job_report(FRAME_ERROR, writer.buffer, writer.length);
    _exit(1);
}

const char *job_error_code(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: return "NOT_FOUND";
    case EACCES:
    case EPERM: return "DENIED";
    case EEXIST:
    case ENOTEMPTY:
    case EISDIR: return "EXISTS";
    case ELOOP:
    case EXDEV:
    case EINVAL:
    case ENAMETOOLONG: return "INVALID";
    case EBUSY:
    case ETXTBSY: return "BUSY";
    case EAGAIN:
    case EMFILE:
    case ENFILE: return "TOO_MANY";
    default: return "IO";
    }
}
