// Operation 2: a child that reads a tar from its standard input and unpacks it. The entries come from anywhere, so
// nothing is ever opened or made through a link (tar_place.c does the placing).
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "job.h"
#include "operations.h"
#include "tar_header.h"
#include "tar_path.h"
#include "tar_place.h"

enum { TAG_FOLDER = 2, TAG_FLAGS = 3, FLAG_REPLACE = 1, FLAG_NO_OWNERS = 2, BUFFER = 256 * 1024 };

struct reader {
    uint8_t *buffer;
    size_t start;
    size_t end;
};

// At least one byte in the buffer; false at the end of the stream.
static bool fill(struct reader *reader) {
    while (reader->start == reader->end) {
        ssize_t got = read(STDIN_FILENO, reader->buffer, BUFFER);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) job_fail("IO", errno, "Cannot read the archive");
        if (got == 0) return false;
        reader->start = 0;
        reader->end = (size_t)got;
    }
    return true;
}

static size_t take(struct reader *reader, uint8_t *to, size_t length) {
    size_t done = 0;
    while (done < length && fill(reader)) {
        size_t part = reader->end - reader->start;
        if (part > length - done) part = length - done;
        if (to) memcpy(to + done, reader->buffer + reader->start, part);
        reader->start += part;
        done += part;
    }
    return done;
}

static _Noreturn void cut_short(void) {
    job_fail("INVALID", 0, "The archive ends in the middle of an entry");
}

static uint64_t padding(uint64_t size) {
    return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

static void skip(struct reader *reader, uint64_t length) {
    while (length) {
        size_t part = length > BUFFER ? BUFFER : (size_t)length;
        if (take(reader, NULL, part) != part) cut_short();
        length -= part;
    }
}

static void write_content(struct reader *reader, const struct tar_entry *entry, int fd) {
    for (uint64_t left = entry->size; left;) {
        if (!fill(reader)) cut_short();
        size_t part = reader->end - reader->start;
        if (part > left) part = (size_t)left;
        ssize_t wrote = write(fd, reader->buffer + reader->start, part);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) job_fail(job_error_code(errno), errno, "Cannot write \"%s\"", entry->path);
        reader->start += (size_t)wrote;
        left -= (uint64_t)wrote;
    }
    skip(reader, padding(entry->size));
}

static void read_extension(struct reader *reader, const struct tar_entry *entry, struct tar_override *override) {
    if (entry->size > TAR_EXTENSION_MAX) job_fail("INVALID", 0, "The archive has an extended header that is too long");
    size_t size = (size_t)entry->size;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes) job_fail("IO", ENOMEM, "Cannot read the archive");
    if (take(reader, bytes, size) != size) cut_short();
    skip(reader, padding(size));
    const char *wrong = NULL;
    if (entry->type == 'x') wrong = tar_parse_pax(bytes, size, override);
    if (entry->type == 'L' || entry->type == 'K') wrong = tar_parse_long(bytes, size, entry->type, override);
    if (wrong) job_fail("INVALID", 0, "Cannot read the archive: %s", wrong);
    free(bytes);
}

static bool is_extension(char type) {
    return type == 'x' || type == 'g' || type == 'L' || type == 'K'; // 'g' holds comments, as git writes them
}

// The next entry with everything that was said about it; false at the archive's end.
static bool next_entry(struct reader *reader, struct tar_entry *entry) {
    static struct tar_override override;
    uint8_t block[TAR_BLOCK];
    memset(&override, 0, sizeof override);
    for (;;) {
        size_t got = take(reader, block, TAR_BLOCK);
        if (got == 0) return false;
        if (got < TAR_BLOCK) cut_short();
        if (tar_is_zero_block(block)) return false;
        if (!tar_parse(block, entry)) job_fail("INVALID", 0, "This is not a tar archive, or it is damaged");
        if (!is_extension(entry->type)) break;
        read_extension(reader, entry, &override);
    }
    tar_apply(entry, &override);
    if (entry->type != '0') entry->size = 0; // some programs write one, but never the bytes for it
    return true;
}

static void unpack(struct placer *placer, uint64_t *entries, uint64_t *bytes) {
    static struct tar_entry entry;
    struct reader reader = {.buffer = malloc(BUFFER)};
    if (!reader.buffer) job_fail("IO", ENOMEM, "Cannot read the archive");
    while (next_entry(&reader, &entry)) {
        if (entry.type == '0') {
            int fd = place_file(placer, &entry);
            write_content(&reader, &entry, fd);
            place_file_done(placer, &entry, fd);
            *bytes += entry.size;
        } else {
            place_other(placer, &entry);
        }
        ++*entries;
    }
    while (fill(&reader)) reader.start = reader.end; // what tar pads its last record with
}

static void run(struct fields request) {
    uint64_t flags = fields_number(request, TAG_FLAGS, 0);
    char *folder = fields_text(request, TAG_FOLDER);
    if (!folder || folder[0] != '/') job_fail("INVALID", 0, "The folder to unpack into must be an absolute path");
    int root = tar_path_open_root(folder, true);
    if (root < 0) job_fail(job_error_code(errno), errno, "Cannot open folder \"%s\"", folder);
    struct placer placer = {
        .root = root, .replace = flags & FLAG_REPLACE, .owners = !(flags & FLAG_NO_OWNERS) && geteuid() == 0};
    uint8_t payload[64];
    struct field_writer result = {payload, sizeof payload, 0, false};
    uint64_t entries = 0;
    uint64_t bytes = 0;
    umask(0);
    job_report(FRAME_OPENED, NULL, 0);
    unpack(&placer, &entries, &bytes);
    place_finish(&placer);
    write_u64(&result, 1, entries);
    write_u64(&result, 2, bytes);
    job_finish(&result);
}

static struct failure start(struct channel *channel, struct fields request) {
    return job_start(channel, &(struct job){.run = run, .input = true, .terminal = -1}, request);
}

const struct operation tar_in_operation = {.number = 2, .start = start};
