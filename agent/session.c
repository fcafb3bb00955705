#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "hello.h"
#include "log.h"
#include "operations.h"
#include "parts.h"

static struct channel **find_channel(struct session *session, uint32_t id) {
    for (size_t i = 0; i < session->channel_count; i++) {
        if (session->channels[i]->id == id) return &session->channels[i];
    }
    return NULL;
}

static void remove_channel(struct session *session, struct channel **slot) {
    struct channel *channel = *slot;
    *slot = session->channels[--session->channel_count];
    channel_free(channel);
}

void session_end(struct session *session) {
    session->open = false;
    while (session->channel_count) remove_channel(session, &session->channels[0]);
}

static void refuse(struct session *session, uint32_t id, struct failure failure) {
    uint8_t payload[512];
    outbox_frame(&session->out, FRAME_ERROR, id, payload, failure_fields(&failure, payload, sizeof payload));
}

static bool open_channel(struct session *session, const struct frame *frame) {
    struct fields fields = {frame->payload, frame->length};
    if (frame->channel == 0 || !fields_valid(frame->payload, frame->length)) return false;
    if (find_channel(session, frame->channel)) return false;
    if (session->channel_count == CHANNELS_MAX) {
        refuse(session, frame->channel, (struct failure){"TOO_MANY", "Too many channels are open", 0});
        return true;
    }
    const struct operation *operation = operation_find((uint32_t)fields_number(fields, 1, 0));
    if (!operation) {
        refuse(session, frame->channel, (struct failure){"UNSUPPORTED", "The agent has no such operation", 0});
        return true;
    }
    parts_wait();
    struct channel *channel = channel_new(frame->channel, operation);
    struct failure failure = {"IO", "Out of memory", 0};
    if (channel) failure = operation->start(channel, fields);
    if (failure.code) {
        if (channel) channel_free(channel);
        refuse(session, frame->channel, failure);
        return true;
    }
    session->channels[session->channel_count++] = channel;
    return true;
}

static void channel_frame(struct session *session, const struct frame *frame) {
    struct channel **slot = find_channel(session, frame->channel);
    if (!slot) return;
    if (frame->type == FRAME_CLOSE) {
        remove_channel(session, slot);
    } else if (!channel_receive(*slot, frame)) {
        channel_fail(*slot, &(struct failure){"FLOW", "The host broke the rules of flow control", 0});
    }
}

bool session_receive(struct session *session, const struct frame *frame) {
    if (frame->type == FRAME_HELLO) return hello(session, frame);
    if (!session->open) return true;
    switch (frame->type) {
    case FRAME_PING:
        if (frame->length > 64) return false;
        return outbox_frame(&session->out, FRAME_PONG, 0, frame->payload, frame->length);
    case FRAME_OPEN: return open_channel(session, frame);
    case FRAME_DATA:
    case FRAME_EOF:
    case FRAME_CREDIT:
    case FRAME_RESIZE:
    case FRAME_SIGNAL:
    case FRAME_CLOSE: channel_frame(session, frame); return true;
    default: return true; // a later generation's frame
    }
}

bool session_init(struct session *session) {
    session->in = malloc(SESSION_IN_CAPACITY);
    session->signals = WATCH_NONE;
    return session->in && outbox_init(&session->out);
}
