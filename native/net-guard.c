/*
 * Stands between a machine's network card and the user-space network that carries its traffic.
 *
 *     net-guard SOCKET GUEST GATEWAY PROGRAM [ARGUMENT...]
 *
 * Publishes SOCKET, where one client (the hypervisor) may connect, and starts PROGRAM with `--fd N` added, N being one end
 * of a socket pair. Asks it over ARP for GATEWAY until it answers, then makes the file SOCKET.ready; what the client sends
 * before waits in its socket. Both speak Ethernet frames with a 32-bit big-endian length in front. Ends when either of them
 * does, and the program ends with it.
 *
 * From the guest it lets through ARP, and IPv4 that comes from GUEST and goes to a unicast address of another machine.
 * PROGRAM turns packets into connections of the host, so a packet to 127.0.0.1 or 0.0.0.0, which any root user of a guest
 * can make, would reach what listens on the host's loopback (passt of 2023 does that). Link-local addresses are kept out as
 * well: no router forwards them, and clouds hand out credentials there.
 *
 * Exit status: 0 the hypervisor or the program left, 1 something failed, 126 or 127 PROGRAM cannot be started.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame-filter.h"

enum {
    PIPE_SIZE = 4 * (FRAME_PREFIX + FRAME_MAX),
    MAX_ARGUMENTS = 64,
    NOBODY = 65534,
    ARP_RETRY_MS = 5,
    ARP_TRIES = 1000,
};

/* Bytes on their way in one direction. */
struct pipe_buffer {
    size_t start, end;
    uint8_t bytes[PIPE_SIZE];
};

struct guard {
    int client;  /* the hypervisor */
    int program; /* our end of the pair */
    uint32_t guest;
    struct pipe_buffer from_client; /* as read, not yet looked at */
    struct pipe_buffer to_program;  /* whole frames that passed */
    struct pipe_buffer to_client;
};

static struct guard guard;

static void die(const char *what)
{
    fprintf(stderr, "net-guard: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t parse_address(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) {
        fprintf(stderr, "net-guard: not an IPv4 address: %s\n", text);
        exit(1);
    }
    return ntohl(address.s_addr);
}

/* The program's arguments with `--fd N` at their end. */
static pid_t start_program(char **argv, int fd)
{
    char *arguments[MAX_ARGUMENTS + 3];
    char number[16];
    size_t count = 0;

    for (; argv[count] != NULL; count++) {
        if (count == MAX_ARGUMENTS) {
            errno = E2BIG;
            die("arguments");
        }
        arguments[count] = argv[count];
    }
    snprintf(number, sizeof number, "%d", fd);
    arguments[count++] = "--fd";
    arguments[count++] = number;
    arguments[count] = NULL;

    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child > 0)
        return child;
    fcntl(fd, F_SETFD, 0);
    execvp(arguments[0], arguments);
    int error = errno;
    fprintf(stderr, "net-guard: %s: %s\n", arguments[0], strerror(error));
    /* For a bare name EACCES means that a folder of PATH may not be searched, not that it was found. */
    bool missing = error == ENOENT || (error == EACCES && strchr(arguments[0], '/') == NULL);
    _exit(missing ? 127 : 126);
}

/* The program closed its end before it answered: say how it ended. */
static void exit_like(pid_t program)
{
    int status;
    if (waitpid(program, &status, 0) == program && WIFEXITED(status) && WEXITSTATUS(status) >= 126)
        exit(WEXITSTATUS(status));
    fprintf(stderr, "net-guard: the network program ended before it was ready\n");
    exit(1);
}

/* The whole frame: what is left of it would put the hypervisor out of step. */
static bool skip_frame(void)
{
    static uint8_t frame[FRAME_PREFIX + FRAME_MAX];
    if (recv(guard.program, frame, FRAME_PREFIX, MSG_WAITALL) != FRAME_PREFIX)
        return false;
    long size = frame_size(frame, sizeof frame);
    return size >= 0 && recv(guard.program, frame, (size_t)size, MSG_WAITALL) == size;
}

/* Asks for the gateway's hardware address until an answer comes: then packets will be carried. */
static void await_answer(pid_t program, uint32_t gateway)
{
    uint8_t request[FRAME_PREFIX + ARP_FRAME_SIZE];

    make_arp_request(request, guard.guest, gateway);
    for (int tries = 0; tries < ARP_TRIES; tries++) {
        struct pollfd waiting = { .fd = guard.program, .events = POLLIN };
        /* Once, and again when the program was not listening to its end yet and threw the first one away. */
        if (tries % 20 == 0 && send(guard.program, request, sizeof request, MSG_NOSIGNAL) < 0)
            exit_like(program);
        int ready = poll(&waiting, 1, ARP_RETRY_MS);
        if (ready < 0 && errno != EINTR)
            die("poll");
        if (ready <= 0)
            continue;
        if (skip_frame())
            return;
        exit_like(program);
    }
    fprintf(stderr, "net-guard: the network program does not answer\n");
    exit(1);
}

/* Appears under its name when it can be connected to, not before. */
static int publish_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int size = snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        die(path);
    }
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    umask(077);
    unlink(address.sun_path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
        die(path);
    if (rename(address.sun_path, path) != 0)
        die(path);
    return listener;
}

static void tell_ready(const char *socket_path)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s.ready", socket_path);
    int file = size > 0 && (size_t)size < sizeof path ? open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        die(path);
    close(file);
}

/* What follows handles the guest's bytes and needs no right at all. */
static void drop_privileges(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        die("dropping privileges");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        die("PR_SET_NO_NEW_PRIVS");
}

static int accept_client(int listener)
{
    struct pollfd waiting[2] = { { .fd = listener, .events = POLLIN }, { .fd = guard.program, .events = POLLRDHUP } };
    for (;;) {
        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (waiting[1].revents != 0) {
            fprintf(stderr, "net-guard: the network program ended\n");
            exit(1);
        }
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0)
            return client;
        if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED)
            die("accept");
    }
}

/* Bytes that fit behind those that are there, after moving them to the front. */
static size_t make_room(struct pipe_buffer *buffer)
{
    if (buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    return PIPE_SIZE - buffer->end;
}

/* Ends the process when the other end is closed. */
static void fill(int fd, struct pipe_buffer *buffer)
{
    size_t room = make_room(buffer);
    if (room == 0)
        return;
    ssize_t count = recv(fd, buffer->bytes + buffer->end, room, MSG_DONTWAIT);
    if (count == 0)
        exit(0);
    if (count > 0)
        buffer->end += (size_t)count;
    else if (errno != EAGAIN && errno != EINTR)
        exit(errno == ECONNRESET ? 0 : 1);
}

static void drain(int fd, struct pipe_buffer *buffer)
{
    if (buffer->start == buffer->end)
        return;
    ssize_t count = send(fd, buffer->bytes + buffer->start, buffer->end - buffer->start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0)
        buffer->start += (size_t)count;
    else if (count < 0 && errno != EAGAIN && errno != EINTR)
        exit(errno == EPIPE || errno == ECONNRESET ? 0 : 1);
}

/* Moves whole frames that may pass; drops the others. */
static void filter_frames(void)
{
    struct pipe_buffer *in = &guard.from_client, *out = &guard.to_program;
    for (;;) {
        long size = frame_size(in->bytes + in->start, in->end - in->start);
        if (size == FRAME_INVALID) {
            fprintf(stderr, "net-guard: the hypervisor sent a frame without a usable length\n");
            exit(1);
        }
        if (size == FRAME_INCOMPLETE)
            return;
        size_t bytes = FRAME_PREFIX + (size_t)size;
        if (make_room(out) < bytes)
            return;
        if (frame_may_pass(in->bytes + in->start + FRAME_PREFIX, (size_t)size, guard.guest)) {
            memcpy(out->bytes + out->end, in->bytes + in->start, bytes);
            out->end += bytes;
        }
        in->start += bytes;
    }
}

static short wanted_events(const struct pipe_buffer *in, const struct pipe_buffer *out)
{
    int events = 0;
    if (in->end - in->start < PIPE_SIZE)
        events |= POLLIN;
    if (out->end > out->start)
        events |= POLLOUT;
    return (short)events;
}

static void carry(void)
{
    for (;;) {
        struct pollfd waiting[2] = {
            { .fd = guard.client, .events = wanted_events(&guard.from_client, &guard.to_client) },
            { .fd = guard.program, .events = wanted_events(&guard.to_client, &guard.to_program) },
        };
        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < 2; i++)
            if ((waiting[i].revents & (POLLHUP | POLLERR)) != 0 && (waiting[i].revents & POLLIN) == 0)
                exit(0);
        if (waiting[0].revents & POLLIN)
            fill(guard.client, &guard.from_client);
        if (waiting[1].revents & POLLIN)
            fill(guard.program, &guard.to_client);
        filter_frames();
        drain(guard.program, &guard.to_program);
        drain(guard.client, &guard.to_client);
        filter_frames();
    }
}

int main(int argc, char **argv)
{
    int pair[2];

    if (argc < 5) {
        fprintf(stderr, "usage: net-guard SOCKET GUEST GATEWAY PROGRAM [ARGUMENT...]\n");
        return 1;
    }
    guard.guest = parse_address(argv[2]);
    uint32_t gateway = parse_address(argv[3]);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        die("socketpair");
    int listener = publish_socket(argv[1]);
    pid_t program = start_program(argv + 4, pair[1]);
    close(pair[1]);
    guard.program = pair[0];
    await_answer(program, gateway);
    tell_ready(argv[1]);
    drop_privileges();
    guard.client = accept_client(listener);
    close(listener);
    carry();
}
