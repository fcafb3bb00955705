#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool procfs_write(const char *path, const char *value) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool taken = write(fd, value, strlen(value)) > 0;
    int error = errno;
    close(fd);
    errno = error;
    return taken;
}

bool lines_open(struct lines *lines, const char *path) {
    lines->start = lines->end = 0;
    lines->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    lines->ended = lines->fd < 0;
    return !lines->ended;
}

static void fill(struct lines *lines) {
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    ssize_t got;
    do {
        got = read(lines->fd, lines->buffer + lines->end, sizeof lines->buffer - 1 - lines->end);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        lines->end += (size_t)got;
    } else {
        lines->ended = true;
        close(lines->fd);
    }
}

void lines_close(struct lines *lines) {
    if (!lines->ended) close(lines->fd);
    lines->ended = true;
}

char *lines_next(struct lines *lines) {
    for (;;) {
        char *line = lines->buffer + lines->start;
        char *newline = memchr(line, '\n', lines->end - lines->start);
        bool full = lines->end - lines->start == sizeof lines->buffer - 1;
        if (newline) {
            *newline = 0;
            lines->start = (size_t)(newline - lines->buffer) + 1;
            return line;
        }
        if (full || lines->ended) {
            if (lines->start == lines->end) return NULL;
            lines->buffer[lines->end] = 0;
            lines->start = lines->end;
            return line;
        }
        fill(lines);
    }
}

char *next_word(char **text) {
    char *word = *text + strspn(*text, " \t");
    char *end = word + strcspn(word, " \t");
    *text = *end ? end + 1 : end;
    *end = 0;
    return word;
}

void skip_words(char **text, int count) {
    while (count-- > 0) next_word(text);
}

uint64_t next_number(char **text, int base) {
    return strtoull(next_word(text), NULL, base);
}

bool is_number(const char *text) {
    return *text && text[strspn(text, "0123456789")] == 0;
}
