// Operation 1: the host's side of a command. What happens in the child is in exec_child.c.
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "bytes.h"
#include "exec_child.h"
#include "job.h"
#include "operations.h"
#include "tty.h"

enum { SILENCE_MS = 250, TAG_TTY = 6, TAG_ROWS = 7, TAG_COLUMNS = 8 };

static struct failure start_with_terminal(struct channel *channel, struct fields request) {
    int master;
    int slave;
    uint16_t rows = (uint16_t)fields_number(request, TAG_ROWS, 24);
    uint16_t columns = (uint16_t)fields_number(request, TAG_COLUMNS, 80);
    if (!tty_open(&master, &slave, rows, columns)) return (struct failure){"IO", "Cannot make a terminal", errno};
    if (!watch_add(&channel->output, master)) {
        close(slave);
        return (struct failure){"IO", "Cannot watch the terminal", errno};
    }
    struct job job = {.run = exec_child, .terminal = slave};
    struct failure failure = job_start(channel, &job, request);
    close(slave);
    if (failure.code) return failure;
    channel->terminal = true;
    source_open(&channel->sources[0], &channel->output, 1, false);
    sink_open(&channel->sink, &channel->output, SINK_TERMINAL);
    return NO_FAILURE;
}

static struct failure start(struct channel *channel, struct fields request) {
    struct failure failure = NO_FAILURE;
    if (fields_number(request, TAG_TTY, 0)) {
        failure = start_with_terminal(channel, request);
    } else {
        struct job job = {.run = exec_child, .input = true, .output = true, .errors = true, .terminal = -1};
        failure = job_start(channel, &job, request);
    }
    channel->group = channel->pid;
    return failure;
}

static void finish(struct channel *channel) {
    uint8_t payload[64];
    struct field_writer writer = {payload, sizeof payload, 0, false};
    job_write_end(&writer, channel->wait_status);
    channel_finish(channel, FRAME_RESULT, payload, writer.length);
}

static void tick(struct channel *channel) {
    // The status pipe closes at the moment of a successful execve, without a word.
    if (channel->status_ended && !channel->final_type) channel->opened = true;
    if (channel->opened && channel->collected && !channel->final_type) finish(channel);
}

// Output that waits, for credit or for room, is not silence.
static bool may_end(struct channel *channel) {
    if (channel_sources_ended(channel)) return true;
    if (channel_sources_waiting(channel)) {
        channel->deadline = 0;
        return false;
    }
    if (!channel->deadline) channel->deadline = loop_now() + SILENCE_MS;
    return loop_now() >= channel->deadline;
}

static void send_signal(const struct channel *channel, int number) {
    pid_t group = channel->terminal ? tty_foreground(channel->output.fd) : channel->group;
    if (group <= 0) group = channel->group;
    if (kill(-group, number) < 0 && errno == ESRCH && channel->pid) kill(channel->pid, number);
}

static void control(struct channel *channel, const struct frame *frame) {
    if (frame->type == FRAME_RESIZE && frame->length == 4 && channel->terminal) {
        tty_resize(channel->output.fd, get_u16(frame->payload), get_u16(frame->payload + 2));
    }
    if (frame->type == FRAME_SIGNAL && frame->length == 4) {
        uint32_t number = get_u32(frame->payload);
        if (number >= 1 && number <= 64) send_signal(channel, (int)number);
    }
}

static size_t opened(const struct channel *channel, struct field_writer *body) {
    write_u32(body, 1, (uint32_t)channel->group);
    return body->length;
}

const struct operation exec_operation = {
    .number = 1,
    .own_group = true,
    .start = start,
    .tick = tick,
    .may_end = may_end,
    .control = control,
    .opened = opened,
};
