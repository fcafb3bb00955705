#include "hello.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fields.h"
#include "machine.h"
#include "timekeeping.h"

enum { NONCE_LENGTH = 16, ENTROPY_MAX = 256, BOOT_ID_LENGTH = 36 };

#ifndef AGENT_VERSION
#define AGENT_VERSION "0.0.0"
#endif

static size_t read_boot_id(char *id) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = read(fd, id, BOOT_ID_LENGTH);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static void answer(struct session *session, uint32_t generation) {
    uint8_t payload[512];
    struct field_writer writer = {payload, sizeof payload, 0, false};
    struct utsname kernel;
    char boot_id[BOOT_ID_LENGTH];
    write_u32(&writer, 1, generation);
    write_field(&writer, 2, boot_id, read_boot_id(boot_id));
    write_text(&writer, 3, AGENT_VERSION);
    write_text(&writer, 4, init_name(machine.init));
    if (uname(&kernel) == 0) write_text(&writer, 5, kernel.release);
    write_u64(&writer, 6, session->link.opened_ms);
    write_u32(&writer, 7, AGENT_GENERATION);
    write_u32(&writer, 8, AGENT_GENERATION);
    outbox_frame(&session->out, FRAME_HELLO_OK, 0, writer.buffer, writer.length);
}

bool hello(struct session *session, const struct frame *frame) {
    struct fields fields = {frame->payload, frame->length};
    struct field nonce;
    struct field entropy;
    if (!fields_find(fields, 1, &nonce) || nonce.length != NONCE_LENGTH) return false;
    session_end(session);
    outbox_clear(&session->out);
    if (machine.is_guest) {
        clock_step(fields_number(fields, 4, 0));
        if (fields_find(fields, 5, &entropy) && entropy.length <= ENTROPY_MAX) {
            entropy_add(entropy.bytes, entropy.length);
        }
    }
    uint64_t lowest = fields_number(fields, 2, 0);
    uint64_t highest = fields_number(fields, 3, 0);
    session->open = lowest <= AGENT_GENERATION && highest >= AGENT_GENERATION;
    outbox_raw(&session->out, nonce.bytes, nonce.length);
    answer(session, session->open ? AGENT_GENERATION : 0);
    // A host that greets twice sends its clock the second time.
    if (fields_number(fields, 4, 0) != 0) machine_release_init();
    return true;
}
