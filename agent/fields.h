// The tagged fields inside a payload: `u8 tag, u32 length, bytes`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fields {
    const uint8_t *at;
    size_t left;
};

struct field {
    uint8_t tag;
    uint32_t length;
    const uint8_t *bytes;
};

bool fields_valid(const uint8_t *payload, size_t length);
// The next field; false at the end (and at a field that runs past it).
bool fields_next(struct fields *fields, struct field *field);
// The last field of this tag, the one that counts where a tag may not repeat.
bool fields_find(struct fields fields, uint8_t tag, struct field *field);
uint64_t fields_number(struct fields fields, uint8_t tag, uint64_t otherwise);
// A copy with a NUL at its end, from malloc; NULL when absent, with a NUL inside, or out of memory.
char *fields_text(struct fields fields, uint8_t tag);
char *field_text(const struct field *field);

// Appends fields to a buffer of the caller; what does not fit sets `full` and is left out.
struct field_writer {
    uint8_t *buffer;
    size_t capacity;
    size_t length;
    bool full;
};

void write_field(struct field_writer *writer, uint8_t tag, const void *bytes, size_t length);
void write_text(struct field_writer *writer, uint8_t tag, const char *text);
void write_u32(struct field_writer *writer, uint8_t tag, uint32_t value);
void write_u64(struct field_writer *writer, uint8_t tag, uint64_t value);
