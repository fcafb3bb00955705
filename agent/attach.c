// Operation 13: what a detached command wrote and goes on to write, and, if asked for, a hand on its input.
#include <stdlib.h>

#include "bytes.h"
#include "operations.h"
#include "viewer.h"

enum { TAG_ID = 2, TAG_FROM = 3, TAG_TAIL = 4, TAG_INPUT = 5, TAG_ROWS = 6, TAG_COLUMNS = 7 };

static uint64_t first_offset(const struct scrollback *output, struct fields request) {
    uint64_t from = fields_number(request, TAG_FROM, 0);
    struct field tail;
    if (fields_find(request, TAG_TAIL, &tail)) {
        uint64_t start = scrollback_tail(output, fields_number(request, TAG_TAIL, 0));
        if (start > from) from = start;
    }
    if (from < output->start) return output->start;
    return from < output->end ? from : output->end;
}

static struct failure start(struct channel *channel, struct fields request) {
    struct detached *command = detached_find((uint32_t)fields_number(request, TAG_ID, 0));
    if (!command) return (struct failure){"NOT_FOUND", "There is no such detached command", 0};
    struct viewer *viewer = calloc(1, sizeof *viewer);
    if (!viewer) return (struct failure){"IO", "Out of memory", 0};
    channel->context = viewer;
    viewer_join(viewer, command);
    viewer->at = first_offset(&command->output, request);
    viewer->interactive = command->takes_input && fields_number(request, TAG_INPUT, 0) != 0;
    uint16_t rows = (uint16_t)fields_number(request, TAG_ROWS, 0);
    viewer_resize(viewer, rows, (uint16_t)fields_number(request, TAG_COLUMNS, 0));
    struct sink *input = &command->process->sink;
    if (viewer->interactive && input->watch->fd >= 0) sink_open(&channel->sink, input->watch, input->kind);
    else sink_open(&channel->sink, NULL, SINK_NONE);
    // Accounts only: what is sent comes from the scroll-back.
    source_open(&channel->sources[0], &channel->output, 1, false);
    source_open(&channel->sources[1], &channel->errors, 2, false);
    channel->opened = true;
    return NO_FAILURE;
}

// The command ended, or another viewer closed its input.
static void tick(struct channel *channel) {
    if (channel->sink.kind == SINK_NONE || channel->sink.watch->fd >= 0) return;
    channel->sink.owed += (uint32_t)channel->sink.used;
    channel->sink.kind = SINK_NONE;
    sink_free(&channel->sink);
}

static bool tell_lost(struct channel *channel, struct outbox *out) {
    struct viewer *viewer = channel->context;
    uint8_t payload[8];
    if (!viewer->lost) return true;
    put_u64(payload, viewer->lost);
    if (!outbox_frame(out, FRAME_LOST, channel->id, payload, sizeof payload)) return false;
    viewer->lost = 0;
    return true;
}

static bool finish(struct channel *channel, struct outbox *out) {
    const struct channel *process = ((struct viewer *)channel->context)->command->process;
    if (!tell_lost(channel, out)) return false;
    for (int i = 0; i < 2; i++) {
        if (!source_finish(&channel->sources[i], out, channel->id)) return false;
    }
    channel_finish(channel, FRAME_RESULT, process->final, process->final_length);
    return true;
}

// At most one frame of output. The loss is told with the bytes that come after it, so that a viewer without credit
// gets neither.
static bool pump(struct channel *channel, struct outbox *out) {
    struct viewer *viewer = channel->context;
    const struct scrollback *output = &viewer->command->output;
    if (channel->final_type) return false;
    if (viewer->at < output->start) {
        viewer->lost += output->start - viewer->at;
        viewer->at = output->start;
    }
    struct scrollback_part part = scrollback_at(output, viewer->at);
    if (part.length == 0) return viewer->command->ended && finish(channel, out);
    struct source *source = &channel->sources[part.stream - 1];
    size_t room = source_room(source, out);
    if (room == 0 || !tell_lost(channel, out)) return false;
    if (room > part.length) room = part.length;
    if (!outbox_stream_frame(out, FRAME_DATA, part.stream, channel->id, part.bytes, room)) return false;
    source->credit -= (uint32_t)room;
    viewer->at += room;
    return true;
}

static void control(struct channel *channel, const struct frame *frame) {
    struct viewer *viewer = channel->context;
    if (frame->type == FRAME_RESIZE && frame->length == 4) {
        viewer_resize(viewer, get_u16(frame->payload), get_u16(frame->payload + 2));
    }
    bool runs = !viewer->command->ended;
    if (frame->type == FRAME_SIGNAL && runs) exec_operation.control(viewer->command->process, frame);
}

static size_t opened(const struct channel *channel, struct field_writer *body) {
    const struct viewer *viewer = channel->context;
    const struct channel *process = viewer->command->process;
    write_u32(body, 1, (uint32_t)process->group);
    write_u64(body, 2, viewer->at);
    write_u32(body, 3, process->terminal);
    write_u32(body, 4, viewer->command->takes_input && process->sink.watch->fd >= 0);
    return body->length;
}

static void drop(struct channel *channel) {
    viewer_leave(channel->context);
    free(channel->context);
}

const struct operation attach_operation = {
    .number = 13,
    .start = start,
    .tick = tick,
    .pump = pump,
    .control = control,
    .opened = opened,
    .drop = drop,
};
