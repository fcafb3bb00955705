// The kernel's text files: lines, words and numbers, without stdio's weight.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
    int fd;
    size_t start;
    size_t end;
    bool ended;
    char buffer[4096];
};

// Writes a whole value. False, with errno, when the kernel does not take it.
bool procfs_write(const char *path, const char *value);
bool lines_open(struct lines *lines, const char *path);
// The next line without its newline; a line longer than the buffer comes in pieces. NULL at the end, which closes.
char *lines_next(struct lines *lines);
// For who does not read to the end.
void lines_close(struct lines *lines);
// Cuts the next word (by spaces and tabs) off the text; "" when there is none.
char *next_word(char **text);
void skip_words(char **text, int count);
uint64_t next_number(char **text, int base);
bool is_number(const char *text);
