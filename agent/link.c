#include "link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { SEARCH_SOON_MS = 2, SEARCH_LATER_MS = 100, SEARCH_SOON_FOR_MS = 5000, ASK_AGAIN_MS = 100, GONE_AFTER_MS = 500 };

static const char ports_folder[] = "/sys/class/virtio-ports";

static uint64_t uptime_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static bool has_our_name(const char *port) {
    char path[320];
    char name[16] = "";
    snprintf(path, sizeof path, "%s/%s/name", ports_folder, port);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, name, sizeof name - 1);
    close(fd);
    return got > 0 && strcmp(name, "banger\n") == 0;
}

static int found_port = -1;

static int open_port(void) {
    DIR *folder = opendir(ports_folder);
    if (!folder) return -1;
    int fd = -1;
    for (struct dirent *entry; fd < 0 && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !has_our_name(entry->d_name)) continue;
        char path[280];
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    closedir(folder);
    return fd;
}

void link_find_port(void) {
    if (found_port < 0) found_port = open_port();
}

void link_forget_port(void) {
    if (found_port >= 0) close(found_port);
    found_port = -1;
}

static int take_port(void) {
    link_find_port();
    int fd = found_port;
    found_port = -1;
    return fd;
}

static bool attach(struct link *link, int fd) {
    if (fd < 0 || !watch_add(&link->stream, fd)) return false;
    link->stream.readable = link->stream.writable = true; // ask, rather than wait for an edge that may be over
    link->connected = true;
    if (!link->opened_ms) link->opened_ms = uptime_ms();
    return true;
}

bool link_port(struct link *link) {
    *link = (struct link){.kind = LINK_PORT, .stream = WATCH_NONE, .listener = WATCH_NONE};
    return true;
}

bool link_fd(struct link *link, int fd) {
    *link = (struct link){.kind = LINK_FD, .stream = WATCH_NONE, .listener = WATCH_NONE};
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return attach(link, fd);
}

bool link_listen(struct link *link, const char *path) {
    *link = (struct link){.kind = LINK_LISTEN, .stream = WATCH_NONE, .listener = WATCH_NONE};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return false;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0) {
        close(fd);
        return false;
    }
    return watch_add(&link->listener, fd);
}

static int tick_port(struct link *link) {
    uint64_t now = loop_now();
    if (link->stream.fd < 0) {
        if (now < link->retry_at) return (int)(link->retry_at - now);
        if (attach(link, take_port())) return -1;
        int wait = uptime_ms() < SEARCH_SOON_FOR_MS ? SEARCH_SOON_MS : SEARCH_LATER_MS;
        link->retry_at = now + (uint64_t)wait;
        return wait;
    }
    if (link->connected) return -1;
    // A new host's bytes can overtake the driver's news that the old one left, so that news alone must not end what may
    // be the new session already. A new host says HELLO in any case; this is for when none comes.
    if (link->lost_at && now >= link->lost_at + GONE_AFTER_MS) {
        link->lost_at = 0;
        link->gone = true;
    }
    // The driver wakes us when the host comes and goes; the timer is for a driver that does not.
    if (now >= link->retry_at) {
        link->stream.readable = true;
        link->retry_at = now + ASK_AGAIN_MS;
    }
    return (int)(link->retry_at - now);
}

int link_tick(struct link *link) {
    if (link->kind == LINK_PORT) return tick_port(link);
    if (link->kind == LINK_FD || link->stream.fd >= 0) return -1;
    if (!link->listener.readable) return -1;
    int fd = accept4(link->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN) link->listener.readable = false;
        return errno == EAGAIN ? -1 : ASK_AGAIN_MS;
    }
    attach(link, fd);
    return 0;
}

void link_lost(struct link *link) {
    link->connected = false;
    watch_close(&link->stream);
    link->gone = true;
    link->lost_at = 0;
    link->retry_at = loop_now() + ASK_AGAIN_MS;
    if (link->kind == LINK_FD) link->ended = true;
}

static void port_is_lonely(struct link *link) {
    uint64_t now = loop_now();
    if (link->connected) link->lost_at = now;
    link->connected = false;
    link->stream.readable = false;
    link->retry_at = now + ASK_AGAIN_MS;
}

size_t link_read(struct link *link, uint8_t *to, size_t room) {
    ssize_t got = read(link->stream.fd, to, room);
    if (got < 0 && errno == EINTR) return 0;
    if (got > 0 || (got < 0 && errno == EAGAIN)) {
        if (got < 0) link->stream.readable = false;
        link->connected = true;
        link->lost_at = 0;
        return got > 0 ? (size_t)got : 0;
    }
    if (got == 0 && link->kind == LINK_PORT) {
        port_is_lonely(link);
        return 0;
    }
    if (link->kind == LINK_PORT) log_line("cannot read the port: %s", strerror(errno)); // unplugged: look for it anew
    link_lost(link);
    return 0;
}
