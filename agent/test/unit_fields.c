#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "unit.h"

static void round_trip(void) {
    uint8_t buffer[128];
    struct field_writer writer = {buffer, sizeof buffer, 0, false};
    write_u32(&writer, 1, 42);
    write_text(&writer, 2, "one");
    write_text(&writer, 2, "two");
    write_u64(&writer, 9, 1ULL << 40);
    write_field(&writer, 3, NULL, 0);
    struct fields fields = {buffer, writer.length};
    CHECK(!writer.full && fields_valid(buffer, writer.length));
    CHECK(fields_number(fields, 1, 0) == 42 && fields_number(fields, 9, 0) == 1ULL << 40);
    CHECK(fields_number(fields, 5, 77) == 77);
    CHECK(fields_number(fields, 2, 77) == 77); // three bytes are no number
    struct field field;
    CHECK(fields_find(fields, 2, &field) && field.length == 3 && memcmp(field.bytes, "two", 3) == 0);
    CHECK(fields_find(fields, 3, &field) && field.length == 0);
    char *text = fields_text(fields, 2);
    CHECK(text && strcmp(text, "two") == 0);
    free(text);
}

static void bounds(void) {
    uint8_t buffer[16];
    struct field_writer writer = {buffer, sizeof buffer, 0, false};
    write_text(&writer, 1, "twelve chars");
    CHECK(writer.full && writer.length == 0);
    write_text(&writer, 1, "eleven char");
    CHECK(writer.length == 16);
    for (size_t length = 1; length < 16; length++) CHECK(!fields_valid(buffer, length));
    put_u32(buffer + 1, 0xFFFFFFFF);
    CHECK(!fields_valid(buffer, 16));
    struct field field;
    CHECK(!fields_find((struct fields){buffer, 16}, 1, &field));
}

static void nul_inside(void) {
    uint8_t buffer[16];
    struct field_writer writer = {buffer, sizeof buffer, 0, false};
    write_field(&writer, 1, "a\0b", 3);
    CHECK(fields_text((struct fields){buffer, writer.length}, 1) == NULL);
}

void fields_tests(void) {
    test("fields: read back what was written", round_trip);
    test("fields: nothing outside the payload or the buffer", bounds);
    test("fields: a text has no NUL inside", nul_inside);
}
