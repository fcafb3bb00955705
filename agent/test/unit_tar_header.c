#include "tar_header.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct tar_entry entry;
static struct tar_entry parsed;
static struct tar_override override;
static uint8_t bytes[TAR_HEADERS_MAX];

static void fresh(const char *path) {
    memset(&entry, 0, sizeof entry);
    strcpy(entry.path, path);
    entry.type = '0';
    entry.mode = 04755;
    entry.uid = 1000;
    entry.gid = 50;
    entry.size = 12345;
    entry.mtime = 1700000000;
}

static bool decode(size_t size) {
    size_t at = 0;
    memset(&override, 0, sizeof override);
    if (!tar_parse(bytes, &parsed)) return false;
    if (parsed.type == 'x') {
        if (tar_parse_pax(bytes + TAR_BLOCK, parsed.size, &override)) return false;
        at = TAR_BLOCK + (parsed.size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (!tar_parse(bytes + at, &parsed)) return false;
    }
    tar_apply(&parsed, &override);
    return at + TAR_BLOCK == size;
}

static bool same(void) {
    return strcmp(parsed.path, entry.path) == 0 && strcmp(parsed.target, entry.target) == 0 &&
           parsed.mode == entry.mode && parsed.uid == entry.uid && parsed.gid == entry.gid &&
           parsed.size == entry.size && parsed.mtime == entry.mtime && parsed.mtime_ns == entry.mtime_ns &&
           parsed.type == entry.type && parsed.major == entry.major && parsed.minor == entry.minor;
}

static void round_trips(void) {
    fresh("dir/file");
    CHECK(tar_encode(bytes, &entry) == TAR_BLOCK && decode(TAR_BLOCK) && same());
    entry.mtime_ns = 123456789;
    CHECK(decode(tar_encode(bytes, &entry)) && same());
    for (int64_t time = -3; time < 3; time++) {
        entry.mtime = time;
        CHECK(decode(tar_encode(bytes, &entry)) && same());
    }
    entry.size = 1ULL << 40;
    entry.uid = 4000000000;
    CHECK(decode(tar_encode(bytes, &entry)) && same());
    for (size_t length = 95; length < TAR_PATH_MAX - 1; length += length < 110 ? 1 : 487) {
        fresh("");
        memset(entry.path, 'p', length);
        memset(entry.target, 't', length);
        entry.type = '2';
        entry.size = 0;
        CHECK(decode(tar_encode(bytes, &entry)) && same());
    }
    fresh("node");
    entry.type = '3';
    entry.major = 5;
    entry.minor = 300;
    CHECK(decode(tar_encode(bytes, &entry)) && same());
}

static void damage(void) {
    fresh("file");
    tar_encode(bytes, &entry);
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        if (i >= 148 && i < 156) continue; // the checksum's own digits may be written in several ways
        bytes[i] ^= 0x01;
        CHECK(!tar_parse(bytes, &parsed));
        bytes[i] ^= 0x01;
    }
    CHECK(tar_parse(bytes, &parsed));
}

static const char *pax(const char *text) {
    memset(&override, 0, sizeof override);
    return tar_parse_pax((const uint8_t *)text, strlen(text), &override);
}

static void pax_records(void) {
    CHECK(!pax("10 path=a\n17 comment=ignored\n"
               "16 mtime=123.25\n") == false); // a record that lies about its length
    CHECK(!pax("10 path=a\n19 comment=ignored\n16 mtime=123.25\n") && strcmp(override.value.path, "a") == 0);
    CHECK(override.value.mtime == 123 && override.value.mtime_ns == 250000000 && !override.has_size);
    CHECK(pax("x") && pax("5") && pax("5 a=\n") == NULL && pax("0 a=b\n") && pax("3 \n") && pax("999999 path=a\n"));
    CHECK(pax("99999999999999999999999 path=a\n") && pax("7 path\n") && pax("12 size=12x\n") && pax("10 size=\n"));
    CHECK(pax("11 uid=-12\n") && pax("18 uid=4294967295\n") && pax("13 mtime=1.x\n"));
    CHECK(pax("22 GNU.sparse.major=1\n") != NULL);
    static char big[TAR_PATH_MAX + 64];
    int head = sprintf(big, "%d path=", TAR_PATH_MAX + 11);
    memset(big + head, 'a', TAR_PATH_MAX);
    big[TAR_PATH_MAX + 10] = '\n';
    CHECK(pax(big) != NULL);
}

static void base_256(void) {
    fresh("file");
    tar_encode(bytes, &entry);
    static const struct {
        uint8_t digits[12];
        bool ok;
    } sizes[] = {
        {{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, true},
        {{0x80, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 1, 0}, true},
        {{0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 1, 0}, false}, // beyond 63 bits
        {{0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, false}, // -1
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memcpy(bytes + 124, sizes[i].digits, 12);
        memset(bytes + 148, ' ', 8);
        unsigned sum = 0;
        for (int at = 0; at < TAR_BLOCK; at++) sum += bytes[at];
        sprintf((char *)bytes + 148, "%06o", sum);
        CHECK(tar_parse(bytes, &parsed) == sizes[i].ok);
    }
}

void tar_header_tests(void) {
    test("tar: headers say the same after a round trip", round_trips);
    test("tar: a damaged header is refused", damage);
    test("tar: pax records, good and bad", pax_records);
    test("tar: base-256 numbers within bounds", base_256);
}
