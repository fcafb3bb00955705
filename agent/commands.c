// Operations 12, 14, 15 and 16: the detached commands as a list, and how one begins and ends.
#include <string.h>

#include "bytes.h"
#include "detached.h"
#include "operations.h"

enum { TAG_ID = 2, TAG_NUMBER = 3, SIGNAL_MAX = 64, USER_MAX = 64 };

static const struct failure not_found = {"NOT_FOUND", "There is no such detached command", 0};

static struct detached *find(struct fields request) {
    return detached_find((uint32_t)fields_number(request, TAG_ID, 0));
}

static void write_command(struct field_writer *result, const struct detached *command) {
    uint8_t bytes[DETACHED_WORDS_BYTES + 512];
    struct field_writer entry = {bytes, sizeof bytes, 0, false};
    struct fields end = {command->process->final, command->process->final_length};
    write_u32(&entry, 1, command->id);
    // The words are fields already.
    struct fields words = {command->words, command->words_length};
    for (struct field word; fields_next(&words, &word);) write_field(&entry, word.tag, word.bytes, word.length);
    write_u32(&entry, 3, (uint32_t)command->process->group);
    write_u64(&entry, 4, command->started_ms);
    size_t user = command->user ? strnlen(command->user, USER_MAX) : 0;
    if (user) write_field(&entry, 5, command->user, user);
    write_u32(&entry, 6, command->process->terminal);
    write_u32(&entry, 7, command->words_cut);
    write_u64(&entry, 8, command->output.start);
    write_u64(&entry, 9, command->output.end);
    write_u32(&entry, 10, (uint32_t)command->holders);
    write_u32(&entry, 11, command->takes_input && command->process->sink.watch->fd >= 0);
    if (command->ended) {
        write_u64(&entry, 12, command->ended_ms);
        write_field(&entry, 13, end.at, end.left);
    }
    write_field(result, 1, bytes, entry.length);
}

static struct failure start_list(struct channel *channel, struct fields request) {
    static uint8_t payload[FRAME_PAYLOAD_MAX];
    struct field_writer result = {payload, sizeof payload, 0, false};
    (void)request;
    const struct detached *command;
    for (size_t i = 0; (command = detached_at(i)); i++) {
        // One whose program is still being looked for does not run yet.
        if (command->process->opened) write_command(&result, command);
    }
    channel_finish(channel, FRAME_RESULT, payload, result.length);
    return NO_FAILURE;
}

static struct failure start_signal(struct channel *channel, struct fields request) {
    const struct detached *command = find(request);
    uint64_t number = fields_number(request, TAG_NUMBER, 0);
    if (!command) return not_found;
    if (number < 1 || number > SIGNAL_MAX) return (struct failure){"INVALID", "There is no such signal", 0};
    if (command->ended) return (struct failure){"REFUSED", "The command has ended", 0};
    uint8_t payload[4];
    put_u32(payload, (uint32_t)number);
    struct frame frame = {.type = FRAME_SIGNAL, .length = sizeof payload, .payload = payload};
    exec_operation.control(command->process, &frame);
    channel_finish(channel, FRAME_RESULT, NULL, 0);
    return NO_FAILURE;
}

static struct failure start_remove(struct channel *channel, struct fields request) {
    struct detached *command = find(request);
    if (!command) return not_found;
    if (!command->ended) return (struct failure){"BUSY", "The command runs", 0};
    detached_forget(command);
    channel_finish(channel, FRAME_RESULT, NULL, 0);
    return NO_FAILURE;
}

static struct failure start_command(struct channel *channel, struct fields request) {
    struct detached *command = NULL;
    struct failure failure = detached_start(request, &command);
    channel->context = command;
    return failure;
}

static void tick_start(struct channel *channel) {
    struct detached *command = channel->context;
    const struct channel *process = command->process;
    uint8_t payload[32];
    struct field_writer result = {payload, sizeof payload, 0, false};
    if (channel->final_type) return;
    if (process->opened) {
        write_u32(&result, 1, (uint32_t)process->group);
        write_u32(&result, 2, command->id);
        channel_finish(channel, FRAME_RESULT, payload, result.length);
    } else if (process->final_type) {
        channel_finish(channel, process->final_type, process->final, process->final_length);
    }
}

// One that could not start, or of which the host was not told, is nobody's.
static void drop_start(struct channel *channel) {
    struct detached *command = channel->context;
    if (!command) return;
    bool told = channel->done && channel->final_type == FRAME_RESULT;
    if (!told) detached_forget(command);
    detached_release(command);
}

const struct operation list_operation = {.number = 12, .start = start_list};
const struct operation signal_operation = {.number = 14, .start = start_signal};
const struct operation remove_operation = {.number = 15, .start = start_remove};
const struct operation start_operation = {
    .number = 16, .start = start_command, .tick = tick_start, .drop = drop_start};
