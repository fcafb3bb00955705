#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "frame.h"
#include "tty.h"

enum { SOURCE_MIN_READ = 2048 }; // not worth a frame's overhead below this room

void source_open(struct source *source, struct watch *watch, uint8_t stream, bool is_pipe) {
    *source = (struct source){
        .watch = watch, .stream = stream, .short_read_is_empty = is_pipe, .credit = FLOW_WINDOW};
}

bool source_grant(struct source *source, uint32_t credit) {
    if (credit > UINT32_MAX - source->credit) return false;
    source->credit += credit;
    return true;
}

bool source_waiting(const struct source *source) {
    return source->watch && !source->ended && source->watch->readable;
}

bool source_finish(struct source *source, struct outbox *out, uint32_t channel) {
    if (!source->watch || source->eof_sent) return true;
    if (!outbox_stream_frame(out, FRAME_EOF, source->stream, channel, NULL, 0)) return false;
    source->ended = source->eof_sent = true;
    return true;
}

size_t source_room(const struct source *source, const struct outbox *out) {
    size_t room = outbox_stream_room(out);
    if (room < OUTBOX_REPLY_ROOM + FRAME_OVERHEAD + SOURCE_MIN_READ) return 0;
    room -= OUTBOX_REPLY_ROOM + FRAME_OVERHEAD;
    if (room > FRAME_DATA_MAX) room = FRAME_DATA_MAX;
    return room < source->credit ? room : source->credit;
}

ssize_t source_read(const struct source *source, void *to, size_t room) {
    ssize_t got = read(source->watch->fd, to, room);
    // A terminal says EIO when its other end is closed and nothing is there to read. The kernel looks at that in the other order:
    // what was written in between is lost to who believes it the first time.
    return got < 0 && errno == EIO ? read(source->watch->fd, to, room) : got;
}

bool source_pump(struct source *source, struct outbox *out, uint32_t channel) {
    if (!source->watch || source->eof_sent) return false;
    if (source->ended) return source_finish(source, out, channel);
    size_t room = source->watch->readable ? source_room(source, out) : 0;
    if (room == 0) return false;
    ssize_t got = source_read(source, outbox_reserve(out, room), room);
    if (got > 0) {
        outbox_commit(out, FRAME_DATA, source->stream, channel, (size_t)got);
        source->credit -= (uint32_t)got;
        bool drained = source->short_read_is_empty && (size_t)got < room && !source->watch->hangup;
        if (drained) source->watch->readable = false;
        return true;
    }
    if (got < 0 && errno == EINTR) return false;
    if (got < 0 && errno == EAGAIN) {
        source->watch->readable = false;
        return false;
    }
    source->ended = true; // end of file; EIO is how a terminal says it, ECONNRESET a socket
    return source_finish(source, out, channel);
}

void sink_open(struct sink *sink, struct watch *watch, enum sink_kind kind) {
    *sink = (struct sink){.watch = watch, .kind = kind, .window = FLOW_WINDOW};
}

void sink_free(struct sink *sink) {
    free(sink->buffer);
    sink->buffer = NULL;
    sink->start = sink->used = 0;
}

static void swallow(struct sink *sink) {
    sink->broken = true;
    sink->owed += (uint32_t)sink->used;
    sink_free(sink);
}

static size_t write_some(struct sink *sink, const uint8_t *bytes, size_t length) {
    size_t done = 0;
    while (done < length && sink->watch->writable && !sink->held) {
        ssize_t wrote = write(sink->watch->fd, bytes + done, length - done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (wrote == 0 || errno == EAGAIN) {
            sink->watch->writable = false;
        } else if (errno != EINTR) {
            sink->broken = true;
            break;
        }
    }
    sink->owed += (uint32_t)done;
    return done;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

// The window bounds what is kept to the buffer's size.
static bool keep(struct sink *sink, const uint8_t *bytes, size_t length) {
    if (!sink->buffer) sink->buffer = malloc(FLOW_WINDOW);
    if (!sink->buffer) return false;
    size_t end = (sink->start + sink->used) % FLOW_WINDOW;
    size_t behind = smaller(length, FLOW_WINDOW - end);
    memcpy(sink->buffer + end, bytes, behind);
    memcpy(sink->buffer, bytes + behind, length - behind);
    sink->used += length;
    return true;
}

bool sink_accept(struct sink *sink, const uint8_t *bytes, size_t length) {
    if (length > sink->window || sink->eof) return false;
    sink->window -= (uint32_t)length;
    if (sink->broken || sink->kind == SINK_NONE) {
        sink->owed += (uint32_t)length;
        return true;
    }
    size_t done = sink->used == 0 ? write_some(sink, bytes, length) : 0;
    if (!sink->broken && done < length && !keep(sink, bytes + done, length - done)) sink->broken = true;
    if (sink->broken) {
        sink->owed += (uint32_t)(length - done);
        swallow(sink);
    }
    return true;
}

static void pass_eof(struct sink *sink) {
    if (sink->kind == SINK_PIPE) watch_close(sink->watch);
    if (sink->kind == SINK_SOCKET) shutdown(sink->watch->fd, SHUT_WR);
    if (sink->kind == SINK_TERMINAL) {
        if (!sink->watch->writable) return;
        if (!tty_send_eof(sink->watch->fd) && errno == EAGAIN) {
            sink->watch->writable = false;
            return;
        }
    }
    sink->finished = true;
}

void sink_pump(struct sink *sink) {
    if (sink->kind == SINK_NONE || sink->finished || sink->held) return;
    while (sink->used && sink->watch->writable && !sink->broken) {
        size_t done = write_some(sink, sink->buffer + sink->start, smaller(sink->used, FLOW_WINDOW - sink->start));
        sink->used -= done;
        sink->start = sink->used ? (sink->start + done) % FLOW_WINDOW : 0;
    }
    if (sink->broken && sink->buffer) swallow(sink);
    if (sink->eof && sink->used == 0) pass_eof(sink);
}

bool sink_send_credit(struct sink *sink, struct outbox *out, uint32_t channel) {
    if (sink->owed < FLOW_GRANT || sink->eof) return false;
    uint8_t credit[4];
    put_u32(credit, sink->owed);
    if (!outbox_stream_frame(out, FRAME_CREDIT, 0, channel, credit, sizeof credit)) return false;
    sink->window += sink->owed;
    sink->owed = 0;
    return true;
}

bool sink_done(const struct sink *sink) {
    return sink->kind == SINK_NONE || sink->finished || sink->broken;
}
