#include "channel.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "job.h"
#include "reaper.h"

struct channel *channel_new(uint32_t id, const struct operation *operation) {
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel) return NULL;
    channel->id = id;
    channel->operation = operation;
    channel->input = channel->output = channel->errors = channel->status = WATCH_NONE;
    return channel;
}

static void end_child(struct channel *channel) {
    bool ended_well = channel->done && channel->final_type == FRAME_RESULT;
    if (channel->operation->own_group && channel->group && !ended_well) {
        reaper_end_group(channel->group, !channel->collected);
    }
    if (!channel->operation->own_group && channel->pid) kill(channel->pid, SIGKILL);
}

void channel_free(struct channel *channel) {
    if (channel->operation->drop && channel->context) channel->operation->drop(channel);
    watch_close(&channel->input);
    watch_close(&channel->output);
    watch_close(&channel->errors);
    watch_close(&channel->status);
    end_child(channel);
    sink_free(&channel->sink);
    free(channel->record);
    free(channel->final);
    free(channel);
}

void channel_finish(struct channel *channel, uint8_t type, const void *payload, size_t length) {
    if (channel->final_type) return;
    if (length) {
        channel->final = malloc(length);
        if (channel->final) memcpy(channel->final, payload, length);
        else length = 0;
    }
    channel->final_type = type;
    channel->final_length = length;
}

size_t failure_fields(const struct failure *failure, uint8_t *buffer, size_t capacity) {
    struct field_writer writer = {buffer, capacity, 0, false};
    write_text(&writer, 1, failure->code);
    write_text(&writer, 2, failure->message);
    if (failure->error) write_u32(&writer, 3, (uint32_t)failure->error);
    return writer.length;
}

void channel_fail(struct channel *channel, const struct failure *failure) {
    uint8_t payload[512];
    channel_finish(channel, FRAME_ERROR, payload, failure_fields(failure, payload, sizeof payload));
}

void channel_collect(struct channel *channel, int wait_status) {
    channel->pid = 0;
    channel->collected = true;
    channel->wait_status = wait_status;
}

bool channel_sources_ended(const struct channel *channel) {
    for (int i = 0; i < 2; i++) {
        if (channel->sources[i].watch && !channel->sources[i].eof_sent) return false;
    }
    return true;
}

bool channel_sources_waiting(const struct channel *channel) {
    return source_waiting(&channel->sources[0]) || source_waiting(&channel->sources[1]);
}

static void check_child(struct channel *channel) {
    if (channel->status.fd >= 0) job_read_status(channel);
    // The agent's own children always say how it went, unless they were killed.
    if (channel->status_ended && !channel->operation->own_group && !channel->final_type) {
        channel_fail(channel, &(struct failure){"IO", "The agent's helper process ended early", 0});
    }
}

static bool send_opened(struct channel *channel, struct outbox *out) {
    uint8_t payload[64];
    struct field_writer body = {payload, sizeof payload, 0, false};
    size_t length = channel->operation->opened ? channel->operation->opened(channel, &body) : 0;
    if (!outbox_frame(out, FRAME_OPENED, channel->id, payload, length)) return false;
    channel->opened_sent = true;
    return true;
}

static bool send_final(struct channel *channel, struct outbox *out) {
    bool result = channel->final_type == FRAME_RESULT;
    if (result && channel->operation->may_end && !channel->operation->may_end(channel)) return false;
    for (int i = 0; i < 2 && result; i++) {
        bool forced = channel->operation->own_group;
        if (!forced && channel->sources[i].watch && !channel->sources[i].eof_sent) return false;
        if (!source_finish(&channel->sources[i], out, channel->id)) return false;
    }
    if (!outbox_frame(out, channel->final_type, channel->id, channel->final, channel->final_length)) return false;
    channel->done = true;
    return true;
}

bool channel_pump(struct channel *channel, struct outbox *out) {
    bool progress = false;
    if (channel->done) return false;
    check_child(channel);
    if (channel->operation->tick) channel->operation->tick(channel);
    sink_pump(&channel->sink);
    if (channel->opened && !channel->opened_sent) {
        if (!send_opened(channel, out)) return false;
        progress = true;
    }
    if (channel->final_type != FRAME_ERROR && (channel->opened_sent || !channel->operation->opened)) {
        bool moved = channel->operation->pump ? channel->operation->pump(channel, out)
                                              : source_pump(&channel->sources[0], out, channel->id);
        moved |= source_pump(&channel->sources[1], out, channel->id);
        if (moved) channel->deadline = 0; // it counted silence
        progress |= moved | sink_send_credit(&channel->sink, out, channel->id);
    }
    if (channel->final_type) progress |= send_final(channel, out);
    return progress;
}

static bool receive_credit(struct channel *channel, const struct frame *frame) {
    if (frame->length != 4) return false;
    for (int i = 0; i < 2; i++) {
        struct source *source = &channel->sources[i];
        if (source->watch && source->stream == frame->stream) return source_grant(source, get_u32(frame->payload));
    }
    return true;
}

bool channel_receive(struct channel *channel, const struct frame *frame) {
    if (channel->final_type == FRAME_ERROR) return true; // it only waits for room in the outbox
    switch (frame->type) {
    case FRAME_DATA:
        if (frame->stream != 0 || !sink_accept(&channel->sink, frame->payload, frame->length)) return false;
        if (channel->operation->receive) channel->operation->receive(channel, frame->payload, frame->length);
        return true;
    case FRAME_EOF:
        if (frame->stream == 0) channel->sink.eof = true;
        return frame->stream == 0;
    case FRAME_CREDIT: return receive_credit(channel, frame);
    default:
        if (channel->operation->control) channel->operation->control(channel, frame);
        return true;
    }
}
