// Operation 9: datagrams to and from one UDP port inside the guest. On the channel each is u16 length, then its bytes.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "bytes.h"
#include "operations.h"

enum {
    TAG_HOST = 2,
    TAG_PORT = 3,
    PREFIX = 2,
    DATAGRAM_MAX = 65507,
    RETRY_MS = 5, // when the outbox has no room: its draining wakes nobody who waits for so much
};

static struct failure start(struct channel *channel, struct fields request) {
    union address address;
    socklen_t size = address_of_request(request, TAG_HOST, TAG_PORT, &address);
    if (size == 0) return (struct failure){"INVALID", "Not a numeric address with a port from 1 to 65535", 0};
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return (struct failure){"IO", "Cannot make a socket", errno};
    // Only chooses the peer: nothing is sent, so there is nothing to wait for.
    int error = connect(fd, &address.any, size) < 0 ? errno : 0;
    if (!watch_add(&channel->output, fd)) return (struct failure){"IO", "Cannot watch a socket", errno};
    if (error) return (struct failure){"REFUSED", "The address cannot be reached", error};
    channel->record = malloc(PREFIX + UINT16_MAX);
    if (!channel->record) return (struct failure){"IO", "Out of memory", ENOMEM};
    sink_open(&channel->sink, NULL, SINK_NONE); // its account only
    source_open(&channel->sources[0], &channel->output, 1, false);
    channel->opened = true;
    return NO_FAILURE;
}

// One that cannot be sent now is lost, as on any network.
static void send_datagram(int fd, const uint8_t *bytes, size_t size) {
    // Refused was an earlier one: the kernel tells of it here, and sends nothing.
    if (send(fd, bytes, size, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) send(fd, bytes, size, MSG_NOSIGNAL);
}

static void receive(struct channel *channel, const uint8_t *bytes, size_t length) {
    uint8_t *datagram = channel->record;
    while (length) {
        size_t wanted = PREFIX;
        if (channel->record_length >= PREFIX) wanted += get_u16(datagram);
        size_t part = wanted - channel->record_length;
        if (part > length) part = length;
        memcpy(datagram + channel->record_length, bytes, part);
        channel->record_length += part;
        bytes += part;
        length -= part;
        if (channel->record_length < PREFIX) return;
        size_t size = get_u16(datagram);
        if (channel->record_length < PREFIX + size) continue;
        send_datagram(channel->output.fd, datagram + PREFIX, size);
        channel->record_length = 0;
    }
}

static void tick(struct channel *channel) {
    if (!channel->sink.eof || channel->final_type) return;
    channel->sources[0].ended = true;
    channel_finish(channel, FRAME_RESULT, NULL, 0);
}

static size_t room_for(size_t size) {
    return PREFIX + size + (size / FRAME_DATA_MAX + 1) * FRAME_OVERHEAD + OUTBOX_REPLY_ROOM;
}

static void forward(struct channel *channel, struct outbox *out, const uint8_t *bytes, size_t length) {
    channel->sources[0].credit -= (uint32_t)length;
    while (length) {
        size_t part = length < FRAME_DATA_MAX ? length : FRAME_DATA_MAX;
        outbox_stream_frame(out, FRAME_DATA, 1, channel->id, bytes, part);
        bytes += part;
        length -= part;
    }
}

// One datagram, if there is one. It is lost when the host has not granted enough for it.
static bool pump(struct channel *channel, struct outbox *out) {
    static uint8_t datagram[PREFIX + DATAGRAM_MAX];
    struct source *source = &channel->sources[0];
    if (source->ended) return !source->eof_sent && source_finish(source, out, channel->id);
    if (!source->watch->readable) return false;
    if (outbox_stream_room(out) < room_for(DATAGRAM_MAX)) {
        channel->deadline = loop_now() + RETRY_MS;
        return false;
    }
    ssize_t got = recv(source->watch->fd, datagram + PREFIX, DATAGRAM_MAX, 0);
    if (got < 0 && errno == EAGAIN) source->watch->readable = false;
    if (got < 0) return source->watch->readable; // what the peer's host said of an earlier one; asking takes it away
    put_u16(datagram, (uint16_t)got);
    if (PREFIX + (size_t)got <= source->credit) forward(channel, out, datagram, PREFIX + (size_t)got);
    return true;
}

static size_t opened(const struct channel *channel, struct field_writer *body) {
    (void)channel;
    return body->length;
}

const struct operation udp_operation = {
    .number = 9, .start = start, .tick = tick, .receive = receive, .pump = pump, .opened = opened};
