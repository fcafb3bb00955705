#include "detached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "operations.h"
#include "reaper.h"
#include "timekeeping.h"

enum { TAG_ARGV = 2, TAG_USER = 5, TAG_TTY = 6, TAG_INPUT = 9, SILENCE_MS = 250, READ_AT_ONCE = 32 * 1024 };

static struct detached *commands[DETACHED_MAX];
static size_t count;
static uint32_t last_id;

static void dispose(struct detached *command) {
    if (command->process) channel_free(command->process);
    scrollback_free(&command->output);
    free(command->user);
    free(command);
}

void detached_hold(struct detached *command) {
    command->holders++;
}

void detached_release(struct detached *command) {
    if (--command->holders == 0 && command->forgotten) dispose(command);
}

static void unlist(size_t index) {
    struct detached *command = commands[index];
    memmove(commands + index, commands + index + 1, (--count - index) * sizeof *commands);
    command->forgotten = true;
    if (command->holders == 0) dispose(command);
}

void detached_forget(struct detached *command) {
    for (size_t i = 0; i < count; i++) {
        if (commands[i] != command) continue;
        unlist(i);
        return;
    }
}

static bool forget_oldest_ended(void) {
    for (size_t i = 0; i < count; i++) {
        if (!commands[i]->ended || commands[i]->holders) continue;
        unlist(i);
        return true;
    }
    return false;
}

// The list is for people: a word may be cut, and what does not fit is left out.
static void keep_words(struct detached *command, struct fields request) {
    struct field_writer writer = {command->words, sizeof command->words, 0, false};
    for (struct field field; !writer.full && fields_next(&request, &field);) {
        if (field.tag != TAG_ARGV) continue;
        size_t length = field.length < sizeof command->words / 2 ? field.length : sizeof command->words / 2;
        write_field(&writer, TAG_ARGV, field.bytes, length);
        command->words_cut |= length < field.length;
    }
    command->words_length = writer.length;
    command->words_cut |= writer.full;
}

static struct detached *make(struct fields request) {
    struct detached *command = calloc(1, sizeof *command);
    if (!command) return NULL;
    command->process = channel_new(0, &exec_operation);
    if (!scrollback_init(&command->output) || !command->process) {
        dispose(command);
        return NULL;
    }
    command->user = fields_text(request, TAG_USER);
    command->started_ms = clock_wall_ms();
    keep_words(command, request);
    return command;
}

struct failure detached_start(struct fields request, struct detached **started) {
    while ((count == DETACHED_MAX || scrollback_is_crowded()) && forget_oldest_ended()) continue;
    if (count == DETACHED_MAX) return (struct failure){"TOO_MANY", "Too many detached commands run", 0};
    struct detached *command = make(request);
    if (!command) return (struct failure){"IO", "Out of memory", ENOMEM};
    struct channel *process = command->process;
    struct failure failure = exec_operation.start(process, request);
    if (failure.code) {
        dispose(command);
        return failure;
    }
    command->takes_input = process->terminal || fields_number(request, TAG_INPUT, 0) != 0;
    if (!command->takes_input) watch_close(&process->input);
    command->id = ++last_id;
    commands[count++] = command;
    detached_hold(command);
    *started = command;
    return NO_FAILURE;
}

struct detached *detached_find(uint32_t id) {
    for (size_t i = 0; i < count; i++) {
        if (commands[i]->id == id) return commands[i];
    }
    return NULL;
}

struct detached *detached_at(size_t index) {
    return index < count ? commands[index] : NULL;
}

static bool take_output(struct detached *command, struct source *source) {
    static uint8_t buffer[READ_AT_ONCE];
    if (!source_waiting(source)) return false;
    ssize_t got = source_read(source, buffer, sizeof buffer);
    if (got > 0) {
        scrollback_append(&command->output, source->stream, buffer, (size_t)got);
        bool drained = source->short_read_is_empty && got < READ_AT_ONCE && !source->watch->hangup;
        if (drained) source->watch->readable = false;
        return true;
    }
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) source->watch->readable = false;
    else source->ended = true; // EIO is how a terminal says it
    return source->ended;
}

static bool outputs_ended(const struct channel *process) {
    for (int i = 0; i < 2; i++) {
        if (process->sources[i].watch && !process->sources[i].ended) return false;
    }
    return true;
}

// As with exec: a child that was left behind may hold the outputs, and is given up after a silence.
static bool has_ended(struct detached *command) {
    struct channel *process = command->process;
    if (!process->final_type) return false;
    if (process->final_type == FRAME_ERROR || outputs_ended(process)) return true;
    if (channel_sources_waiting(process)) return false;
    if (!command->deadline) command->deadline = loop_now() + SILENCE_MS;
    return loop_now() >= command->deadline;
}

static void end(struct detached *command) {
    struct channel *process = command->process;
    command->ended = true;
    command->deadline = 0;
    command->ended_ms = clock_wall_ms();
    process->done = true;
    watch_close(&process->input);
    watch_close(&process->output);
    watch_close(&process->errors);
    watch_close(&process->status);
}

static bool pump(struct detached *command) {
    struct channel *process = command->process;
    if (command->ended) return false;
    if (process->status.fd >= 0) job_read_status(process);
    exec_operation.tick(process);
    bool moved = take_output(command, &process->sources[0]);
    moved |= take_output(command, &process->sources[1]);
    if (moved) command->deadline = 0;
    if (moved || !has_ended(command)) return moved;
    end(command);
    return true;
}

bool detached_pump(void) {
    bool moved = false;
    for (size_t i = 0; i < count; i++) moved |= pump(commands[i]);
    return moved;
}

int detached_wait(void) {
    int wait = -1;
    for (size_t i = 0; i < count; i++) {
        uint64_t deadline = commands[i]->deadline;
        if (!deadline) continue;
        int left = deadline > loop_now() ? (int)(deadline - loop_now()) : 0;
        if (wait < 0 || left < wait) wait = left;
    }
    return wait;
}

void detached_collect(pid_t pid, int wait_status) {
    for (size_t i = 0; i < count; i++) {
        if (commands[i]->process->pid == pid) channel_collect(commands[i]->process, wait_status);
    }
}

void detached_terminate_all(void) {
    for (size_t i = 0; i < count; i++) {
        if (!commands[i]->ended) reaper_terminate_group(commands[i]->process->group);
    }
}

void detached_end_all(void) {
    while (count) unlist(count - 1);
}
