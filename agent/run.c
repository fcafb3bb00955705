// The event loop: bytes in, channels, bytes out, children; nothing in it waits for anything but epoll.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "detached.h"
#include "log.h"
#include "power.h"
#include "reaper.h"
#include "service.h"
#include "session.h"
#include "spare.h"

enum {
    READS_PER_TURN = 64,
    ROUNDS_PER_TURN = 8,
    ROOM_TO_GO_ON = 64 * 1024,
    STUCK_WRITE_MS = 20, // ask a full port again, for a driver that forgets to wake us
};

static void collected(void *context, pid_t pid, int wait_status) {
    struct session *session = context;
    for (size_t i = 0; i < session->channel_count; i++) {
        if (session->channels[i]->pid == pid) channel_collect(session->channels[i], wait_status);
    }
    detached_collect(pid, wait_status);
    service_collect(pid, wait_status);
    power_collected(pid);
    spare_collect(pid);
}

static void read_signals(struct session *session) {
    struct signalfd_siginfo info;
    while (session->signals.readable) {
        if (read(session->signals.fd, &info, sizeof info) != sizeof info) {
            session->signals.readable = false;
        } else if (info.ssi_signo == SIGCHLD) {
            session->more_children = true;
        } else {
            session->fatal_signal = true;
        }
    }
}

static void protocol_error(struct session *session) {
    if (session->open) log_line("the host sent what is not the protocol; the session is over");
    session_end(session);
}

// Handles the frames that are there. False when one must wait until its answer has room.
static bool handle_input(struct session *session) {
    while (session->in_start < session->in_end) {
        if (outbox_room(&session->out) < OUTBOX_REPLY_ROOM / 2) return false;
        size_t used;
        struct frame frame;
        enum frame_status status =
            frame_next(session->in + session->in_start, session->in_end - session->in_start, &used, &frame);
        if (status == FRAME_READY && !session_receive(session, &frame)) status = FRAME_BAD;
        session->in_start += used;
        if (status == FRAME_BAD) protocol_error(session);
        if (status == FRAME_MORE) break;
    }
    if (session->in_start == session->in_end) session->in_start = session->in_end = 0;
    return true;
}

static void make_input_room(struct session *session) {
    if (SESSION_IN_CAPACITY - session->in_end >= FRAME_MAX / 2) return;
    memmove(session->in, session->in + session->in_start, session->in_end - session->in_start);
    session->in_end -= session->in_start;
    session->in_start = 0;
}

static void read_link(struct session *session) {
    for (int i = 0; i < READS_PER_TURN && session->link.stream.fd >= 0 && session->link.stream.readable; i++) {
        if (!handle_input(session)) return;
        make_input_room(session);
        size_t got = link_read(&session->link, session->in + session->in_end, SESSION_IN_CAPACITY - session->in_end);
        if (got == 0) return;
        session->in_end += got;
    }
    handle_input(session);
}

// Gives every channel a turn, then every channel again, until nothing moves or the outbox is full.
static bool pump_channels(struct session *session) {
    bool progress = false;
    for (int round = 0; round < ROUNDS_PER_TURN; round++) {
        bool moved = false;
        for (size_t i = 0; i < session->channel_count; i++) {
            size_t index = (session->next_channel + i) % session->channel_count;
            moved |= channel_pump(session->channels[index], &session->out);
        }
        session->next_channel++;
        if (!moved) break;
        progress = true;
    }
    return progress;
}

static void flush(struct session *session) {
    struct watch *stream = &session->link.stream;
    if (stream->fd < 0 || !outbox_used(&session->out)) return;
    int result = outbox_flush(&session->out, stream->fd);
    if (result == 0) stream->writable = false;
    if (result < 0) link_lost(&session->link);
}

// After its last frame has gone out: nobody waits for what closing eight descriptors takes.
static void free_done_channels(struct session *session) {
    for (size_t i = session->channel_count; i-- > 0;) {
        if (!session->channels[i]->done) continue;
        channel_free(session->channels[i]);
        session->channels[i] = session->channels[--session->channel_count];
    }
}

static void host_is_gone(struct session *session) {
    session->link.gone = false;
    session_end(session);
    outbox_clear(&session->out);
    // A socket's next host is another stream; a port goes on in the middle of what the last one left.
    if (session->link.kind != LINK_PORT) session->in_start = session->in_end = 0;
}

static int sooner(int a, int b) {
    if (a < 0) return b;
    return b < 0 || a < b ? a : b;
}

static int channel_deadline(const struct session *session) {
    int next = -1;
    for (size_t i = 0; i < session->channel_count; i++) {
        uint64_t deadline = session->channels[i]->deadline;
        // One that is over was acted on this turn; what is left of it waits for room, not for time.
        if (deadline > loop_now()) next = sooner(next, (int)(deadline - loop_now()));
    }
    return next;
}

static int turn(struct session *session) {
    read_signals(session);
    bool was_connected = session->link.connected;
    int wait = link_tick(&session->link);
    bool input_ready = session->link.stream.fd >= 0 && session->link.stream.readable;
    if (input_ready || session->in_end) read_link(session);
    if (session->link.gone) host_is_gone(session);
    // After reading the link, so that a child's end is seen after the output that came before it.
    if (session->more_children) session->more_children = reaper_collect(collected, session);
    bool progress = detached_pump();
    progress |= pump_channels(session);
    bool was_full = outbox_stream_room(&session->out) < ROOM_TO_GO_ON;
    flush(session);
    free_done_channels(session);
    if (was_full && outbox_stream_room(&session->out) >= ROOM_TO_GO_ON) progress = true;
    if (session->link.gone || session->link.connected != was_connected) progress = true;
    wait = sooner(wait, reaper_tick());
    wait = sooner(wait, power_tick());
    wait = sooner(wait, channel_deadline(session));
    wait = sooner(wait, detached_wait());
    wait = sooner(wait, service_tick());
    if (outbox_used(&session->out)) wait = sooner(wait, STUCK_WRITE_MS);
    input_ready = session->link.stream.fd >= 0 && session->link.stream.readable;
    bool input_stuck = outbox_room(&session->out) < OUTBOX_REPLY_ROOM / 2;
    if (progress || session->more_children || (input_ready && !input_stuck)) return 0;
    return session->open ? sooner(wait, spare_tick()) : wait;
}

static void stop(struct session *session) {
    session_end(session);
    detached_end_all();
    service_end();
    int wait;
    while ((wait = reaper_tick()) >= 0) {
        loop_wait(wait);
        read_signals(session);
        reaper_collect(collected, session);
    }
}

void session_run(struct session *session) {
    session->more_children = true; // as PID 1 or after exec there may be some already
    int wait = 0;
    for (;;) {
        if (session->link.ended) break;
        if (session->fatal_signal && !power_signal()) break;
        session->fatal_signal = false;
        loop_wait(wait);
        wait = turn(session);
    }
    stop(session);
}
