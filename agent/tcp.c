// Operation 4: a connection to a port inside the guest.
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "operations.h"

enum { CONNECT_TIMEOUT_MS = 10000, TAG_HOST = 2, TAG_PORT = 3 };

static struct failure connect_failure(int error) {
    switch (error) {
    case ECONNREFUSED: return (struct failure){"REFUSED", "Nothing listens on the port", error};
    case ETIMEDOUT: return (struct failure){"TIMEOUT", "The connection was not accepted in time", error};
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL: return (struct failure){"REFUSED", "The address cannot be reached", error};
    default: return (struct failure){"IO", "Cannot connect", error};
    }
}

static struct failure start(struct channel *channel, struct fields request) {
    union address address;
    socklen_t size = address_of_request(request, TAG_HOST, TAG_PORT, &address);
    if (size == 0) {
        return (struct failure){"INVALID", "Not a numeric address with a port from 1 to 65535", 0};
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return connect_failure(errno);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, &address.any, size) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return connect_failure(error);
    }
    if (!watch_add(&channel->output, fd)) return connect_failure(errno);
    sink_open(&channel->sink, &channel->output, SINK_SOCKET);
    channel->sink.held = true; // the host may send before it has seen OPENED
    channel->deadline = loop_now() + CONNECT_TIMEOUT_MS;
    return NO_FAILURE;
}

static void check_connected(struct channel *channel) {
    int error = 0;
    socklen_t size = sizeof error;
    if (channel->output.writable) {
        getsockopt(channel->output.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    } else if (loop_now() >= channel->deadline) {
        error = ETIMEDOUT;
    } else {
        return;
    }
    channel->deadline = 0;
    if (error) {
        struct failure failure = connect_failure(error);
        channel_fail(channel, &failure);
        return;
    }
    channel->opened = true;
    channel->sink.held = false;
    source_open(&channel->sources[0], &channel->output, 1, false);
}

static void tick(struct channel *channel) {
    if (!channel->opened) {
        if (!channel->final_type) check_connected(channel);
    } else if (channel->sources[0].eof_sent && sink_done(&channel->sink)) {
        channel_finish(channel, FRAME_RESULT, NULL, 0);
    }
}

static size_t opened(const struct channel *channel, struct field_writer *body) {
    (void)channel;
    return body->length;
}

const struct operation tcp_operation = {.number = 4, .start = start, .tick = tick, .opened = opened};
