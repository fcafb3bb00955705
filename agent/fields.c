#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum { FIELD_HEADER = 5 };

bool fields_next(struct fields *fields, struct field *field) {
    if (fields->left < FIELD_HEADER) return false;
    uint32_t length = get_u32(fields->at + 1);
    if (length > fields->left - FIELD_HEADER) return false;
    *field = (struct field){.tag = fields->at[0], .length = length, .bytes = fields->at + FIELD_HEADER};
    fields->at += FIELD_HEADER + length;
    fields->left -= FIELD_HEADER + length;
    return true;
}

bool fields_valid(const uint8_t *payload, size_t length) {
    struct fields fields = {payload, length};
    struct field field;
    while (fields_next(&fields, &field)) continue;
    return fields.left == 0;
}

bool fields_find(struct fields fields, uint8_t tag, struct field *found) {
    bool any = false;
    for (struct field field; fields_next(&fields, &field);) {
        if (field.tag != tag) continue;
        *found = field;
        any = true;
    }
    return any;
}

uint64_t fields_number(struct fields fields, uint8_t tag, uint64_t otherwise) {
    struct field field;
    if (!fields_find(fields, tag, &field)) return otherwise;
    if (field.length == 4) return get_u32(field.bytes);
    if (field.length == 8) return get_u64(field.bytes);
    return otherwise;
}

char *field_text(const struct field *field) {
    if (memchr(field->bytes, 0, field->length)) return NULL;
    char *text = malloc((size_t)field->length + 1);
    if (!text) return NULL;
    memcpy(text, field->bytes, field->length);
    text[field->length] = 0;
    return text;
}

char *fields_text(struct fields fields, uint8_t tag) {
    struct field field;
    return fields_find(fields, tag, &field) ? field_text(&field) : NULL;
}

void write_field(struct field_writer *writer, uint8_t tag, const void *bytes, size_t length) {
    size_t room = writer->capacity - writer->length;
    if (room < FIELD_HEADER || length > room - FIELD_HEADER) {
        writer->full = true;
        return;
    }
    uint8_t *at = writer->buffer + writer->length;
    at[0] = tag;
    put_u32(at + 1, (uint32_t)length);
    if (length) memcpy(at + FIELD_HEADER, bytes, length);
    writer->length += FIELD_HEADER + length;
}

void write_text(struct field_writer *writer, uint8_t tag, const char *text) {
    write_field(writer, tag, text, strlen(text));
}

void write_u32(struct field_writer *writer, uint8_t tag, uint32_t value) {
    uint8_t bytes[4];
    put_u32(bytes, value);
    write_field(writer, tag, bytes, sizeof bytes);
}

void write_u64(struct field_writer *writer, uint8_t tag, uint64_t value) {
    uint8_t bytes[8];
    put_u64(bytes, value);
    write_field(writer, tag, bytes, sizeof bytes);
}
