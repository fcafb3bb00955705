#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "frame.h"
#include "unit.h"

static uint8_t chunk[FRAME_DATA_MAX];

struct ends {
    int ours, theirs;
};

static struct ends make_pipe(bool we_read) {
    int fds[2];
    CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    return (struct ends){fds[we_read ? 0 : 1], fds[we_read ? 1 : 0]};
}

static void sink_keeps_a_window(void) {
    struct ends pipe = make_pipe(false);
    struct watch watch = {.fd = pipe.ours, .writable = true};
    struct sink sink;
    sink_open(&sink, &watch, SINK_PIPE);
    size_t sent = 0;
    while (sent + sizeof chunk <= FLOW_WINDOW) {
        CHECK(sink_accept(&sink, chunk, sizeof chunk));
        sent += sizeof chunk;
    }
    CHECK(sink.used > 0 && sink.used + sink.owed == sent); // the pipe took some, the rest waits
    CHECK(!sink_accept(&sink, chunk, FLOW_WINDOW - sent + 1));
    CHECK(sink_accept(&sink, chunk, FLOW_WINDOW - sent));
    CHECK(sink.window == 0);
    size_t read_back = 0;
    ssize_t got;
    while (read_back < FLOW_WINDOW && (got = read(pipe.theirs, chunk, sizeof chunk)) > 0) {
        read_back += (size_t)got;
        watch.writable = true;
        sink_pump(&sink);
    }
    CHECK(read_back == FLOW_WINDOW && sink.used == 0 && sink.owed == FLOW_WINDOW);
    struct outbox out;
    CHECK(outbox_init(&out) && sink_send_credit(&sink, &out, 5));
    CHECK(get_u32(out.data + FRAME_HEADER) == FLOW_WINDOW && out.data[2] == FRAME_CREDIT && sink.window == FLOW_WINDOW);
    CHECK(!sink_send_credit(&sink, &out, 5));
    sink.eof = true;
    CHECK(!sink_accept(&sink, chunk, 1)); // nothing after EOF
    sink_free(&sink);
    close(pipe.ours);
    close(pipe.theirs);
}

// Bytes that count on, so that one out of place shows.
static void number_chunk(uint32_t *next, size_t length) {
    for (size_t i = 0; i < length; i++) chunk[i] = (uint8_t)((*next)++ % 251);
}

static void check_numbers(uint32_t *next, size_t length) {
    for (size_t i = 0; i < length; i++) CHECK(chunk[i] == (uint8_t)((*next)++ % 251));
}

static void sink_keeps_the_order(void) {
    struct ends pipe = make_pipe(false);
    struct watch watch = {.fd = pipe.ours, .writable = true};
    struct sink sink;
    sink_open(&sink, &watch, SINK_PIPE);
    uint32_t sent = 0, seen = 0;
    const uint32_t total = 4 * FLOW_WINDOW;
    while (seen < total) {
        // Always as much as may be sent, in odd pieces: what waits then goes round its buffer again and again.
        while (sink.window > 7000 && sent < total) {
            number_chunk(&sent, 6999);
            CHECK(sink_accept(&sink, chunk, 6999));
        }
        ssize_t got = read(pipe.theirs, chunk, 10001);
        CHECK(got > 0);
        check_numbers(&seen, (size_t)got);
        watch.writable = true;
        sink_pump(&sink);
        sink.window += sink.owed;
        sink.owed = 0;
        if (sent >= total && seen == sent) break;
    }
    CHECK(seen == sent && sink.used == 0);
    sink_free(&sink);
    close(pipe.ours);
    close(pipe.theirs);
}

static void sink_swallows_for_a_dead_reader(void) {
    struct ends pipe = make_pipe(false);
    struct watch watch = {.fd = pipe.ours, .writable = true};
    struct sink sink;
    sink_open(&sink, &watch, SINK_PIPE);
    for (int i = 0; i < 5; i++) CHECK(sink_accept(&sink, chunk, sizeof chunk));
    close(pipe.theirs);
    watch.writable = true;
    sink_pump(&sink);
    CHECK(sink.broken && sink_done(&sink) && sink.used == 0 && sink.owed == 5 * sizeof chunk);
    CHECK(sink_accept(&sink, chunk, 100) && sink.owed == 5 * sizeof chunk + 100);
    sink_free(&sink);
    close(pipe.ours);
}

static void source_stops_without_credit(void) {
    struct ends pipe = make_pipe(true);
    struct watch watch = {.fd = pipe.ours, .readable = true};
    struct source source;
    struct outbox out;
    CHECK(outbox_init(&out));
    source_open(&source, &watch, 1, true);
    source.credit = 100;
    CHECK(write(pipe.theirs, chunk, 300) == 300);
    CHECK(source_pump(&source, &out, 9) && source.credit == 0 && outbox_used(&out) == 100 + FRAME_OVERHEAD);
    CHECK(!source_pump(&source, &out, 9) && source_waiting(&source)); // not silent, only without credit
    CHECK(source_grant(&source, 1000) && source_pump(&source, &out, 9));
    CHECK(source.credit == 800 && !source_waiting(&source));
    CHECK(!source_grant(&source, UINT32_MAX));
    close(pipe.theirs);
    watch.readable = watch.hangup = true;
    CHECK(source_pump(&source, &out, 9) && source.eof_sent && out.data[out.tail - FRAME_OVERHEAD + 2] == FRAME_EOF);
    CHECK(!source_pump(&source, &out, 9));
    close(pipe.ours);
}

static void outbox_keeps_room_for_replies(void) {
    struct ends pipe = make_pipe(true);
    struct watch watch = {.fd = pipe.ours, .readable = true};
    struct source source;
    struct outbox out;
    CHECK(outbox_init(&out));
    source_open(&source, &watch, 1, false);
    source.credit = UINT32_MAX;
    for (int i = 0; i < 1000; i++) {
        if (write(pipe.theirs, chunk, sizeof chunk) < 0) CHECK(errno == EAGAIN);
        watch.readable = true;
        source_pump(&source, &out, 1);
    }
    CHECK(outbox_room(&out) >= OUTBOX_REPLY_ROOM && outbox_room(&out) < 3 * OUTBOX_REPLY_ROOM);
    CHECK(outbox_frame(&out, FRAME_PONG, 0, chunk, 64));
    close(pipe.ours);
    close(pipe.theirs);
}

static void outbox_is_moved_seldom(void) {
    struct outbox out;
    CHECK(outbox_init(&out));
    out.tail = OUTBOX_CAPACITY;
    out.head = OUTBOX_CAPACITY / 4;
    CHECK(outbox_stream_room(&out) == 0 && outbox_room(&out) == OUTBOX_CAPACITY / 4);
    CHECK(outbox_frame(&out, FRAME_PONG, 0, chunk, 64)); // an answer takes what there is
    out.tail = OUTBOX_CAPACITY;
    out.head = OUTBOX_CAPACITY / 2;
    CHECK(outbox_stream_room(&out) == OUTBOX_CAPACITY / 2);
}

void flow_tests(void) {
    test("flow: a sink buffers one window and grants what was consumed", sink_keeps_a_window);
    test("flow: a sink keeps the order of what waits", sink_keeps_the_order);
    test("flow: a sink swallows what nobody reads any more", sink_swallows_for_a_dead_reader);
    test("flow: a source sends no more than its credit", source_stops_without_credit);
    test("flow: stream data leaves room for replies", outbox_keeps_room_for_replies);
    test("flow: a full outbox is not moved for each piece that leaves", outbox_is_moved_seldom);
}
