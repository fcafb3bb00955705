#include "loop.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int epoll = -1;
static uint64_t now;

void loop_tick(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

uint64_t loop_now(void) {
    return now;
}

bool loop_start(void) {
    epoll = epoll_create1(EPOLL_CLOEXEC);
    loop_tick();
    return epoll >= 0;
}

bool watch_add(struct watch *watch, int fd) {
    *watch = (struct watch){.fd = fd};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = watch};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return true;
    close(fd);
    watch->fd = -1;
    return false;
}

void watch_close(struct watch *watch) {
    if (watch->fd < 0) return;
    // Explicitly: a child between fork and exec still holds the description, which keeps epoll's entry alive.
    epoll_ctl(epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    close(watch->fd);
    *watch = WATCH_NONE;
}

void loop_wait(int timeout_ms) {
    struct epoll_event events[128];
    int count = epoll_wait(epoll, events, 128, timeout_ms);
    loop_tick();
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        uint32_t flags = events[i].events;
        if (flags & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) watch->readable = true;
        if (flags & (EPOLLOUT | EPOLLHUP | EPOLLERR)) watch->writable = true;
        if (flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) watch->hangup = true;
    }
}
